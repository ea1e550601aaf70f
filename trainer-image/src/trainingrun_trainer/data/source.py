"""From `spec.data` to the parts that are trained, validated and tested on."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from trainingrun.api import (
    BuiltinDataset,
    CSVFiles,
    DataFormat,
    IDXFiles,
    ImageFolder,
    LabelGaps,
    NPZArrays,
    TFRecordFiles,
    number,
)
from trainingrun_trainer.choosing.found import Found
from trainingrun_trainer.context import Context
from trainingrun_trainer.data import csv_files, idx, npz
from trainingrun_trainer.data.arrays import ArrayRules
from trainingrun_trainer.data.dataset import Dataset
from trainingrun_trainer.data.encoded import Encoded
from trainingrun_trainer.data.feed import InMemory, Split
from trainingrun_trainer.data.image_folder import open_image_folder
from trainingrun_trainer.data.labels import numbering
from trainingrun_trainer.data.left_out import EXAMPLES, LeftOut
from trainingrun_trainer.data.loading import MAXIMUM_DAMAGED, Problems, in_memory, streamed
from trainingrun_trainer.data.parts import Fractions, part
from trainingrun_trainer.data.same import digest, require_same_on_all_ranks
from trainingrun_trainer.data.tf_record import open_tf_record
from trainingrun_trainer.resources import memory_limit
from trainingrun_trainer.storage import local_folder, open_source

MEMORY_SHARE = 0.25
"""Part of a container's memory that samples may take; while they become tensors they take up to twice as much."""

_BUILTIN = {
    BuiltinDataset.MNIST10K: (
        "mnist-10k",
        IDXFiles(images="t10k-images-idx3-ubyte.gz", labels="t10k-labels-idx1-ubyte.gz"),
    )
}


class About(NamedTuple):
    """What a result says about its data."""

    sha256: str
    class_names: tuple[str, ...]
    is_streamed: bool
    found: tuple[Found, ...] = ()
    """What has been decided from the values, and a user should see."""
    left_out: tuple[LeftOut, ...] = ()
    damaged: tuple[str, ...] = ()
    """What is wrong with the samples that are left out for being damaged, the first of them."""


def load_split(context: Context) -> tuple[Split, About]:
    """Read the samples into memory, or the list of them where they do not fit, and split them. All ranks must call this.

    Raises TrainerError (bad data).
    """
    data = open_data(context)
    settings = context.config.data
    parts = part(
        data.labels,
        Fractions(validation=number(settings.validation_fraction), test=number(settings.test_fraction)),
        seed=context.config.training.seed,
        held_out=data.held_out,
        class_names=data.class_names,
    )
    sha256 = digest(data.sha256, parts)
    require_same_on_all_ranks(context.gang, sha256)
    if isinstance(data, Dataset):
        feeds = tuple(InMemory(data.take(positions)) for positions in parts)
        about = About(data.sha256, data.class_names, False, (*data.found, *numbering(data.class_names)))
        return Split(*feeds, sha256=sha256), about
    is_streamed = not _fits_in_memory(context, data)
    split, damaged = (streamed if is_streamed else in_memory)(context, data, parts)
    about = About(
        sha256=data.sha256,
        class_names=data.class_names,
        is_streamed=is_streamed,
        found=numbering(data.class_names),
        left_out=_left_out(data, damaged),
        damaged=_problems(damaged),
    )
    if context.is_chief and about.left_out:
        print(f"left out of the data: {'; '.join(map(str, about.left_out))}", flush=True)
    return replace(split, sha256=digest(data.sha256, parts, without=damaged)), about


def open_data(context: Context) -> Dataset | Encoded:
    """The samples of formats that are read as a whole, or a list of those that are read one by one."""
    data = context.config.data
    if data.source.builtin is not None:
        name, files = _BUILTIN[data.source.builtin]
        return idx.load(local_folder(context.settings.builtin_data / name), images=files.images, labels=files.labels)
    folder = open_source(
        data.source, mount=context.settings.data, access=context.settings.data_access, patience=context.patience
    )
    match data.format:
        case DataFormat.NPZ:
            arrays = data.npz or NPZArrays()
            rules = _rules("npz", arrays, gaps=data.label_gaps)
            return npz.load(folder, file=arrays.file, images=arrays.images, labels=arrays.labels, rules=rules)
        case DataFormat.IMAGE_FOLDER:
            return open_image_folder(context, folder, data.image_folder or ImageFolder(), size=data.image)
        case DataFormat.TF_RECORD:
            settings = data.tf_record or TFRecordFiles()
            return open_tf_record(context, folder, settings, size=data.image, gaps=data.label_gaps)
        case DataFormat.CSV:
            return csv_files.load(folder, data.csv or CSVFiles(), gaps=data.label_gaps)
        case _:
            files = data.idx or IDXFiles()
            rules = _rules("idx", files, gaps=data.label_gaps)
            return idx.load(folder, images=files.images, labels=files.labels, rules=rules)


def _rules(block: str, settings: IDXFiles | NPZArrays, *, gaps: LabelGaps) -> ArrayRules:
    divisor = None if settings.divisor is None else number(settings.divisor)
    return ArrayRules(block, channels=settings.channels, divisor=divisor, gaps=gaps)


def _fits_in_memory(context: Context, data: Encoded) -> bool:
    """Whether every rank of the gang has room for all samples; the same answer on all of them."""
    own = context.settings.memory_limit or memory_limit()
    room = context.gang.gather(np.array([float(own)])).min() * MEMORY_SHARE / context.config.processes_per_worker
    return bool(len(data) * int(np.prod(data.shape)) * data.dtype.itemsize <= room)


def _left_out(data: Encoded, damaged: Problems) -> tuple[LeftOut, ...]:
    """All that is no sample of the run, the damaged ones first."""
    if not damaged:
        return data.left_out
    examples = tuple(data.name(position) for position in sorted(damaged)[:EXAMPLES])
    return LeftOut("damaged images", len(damaged), examples), *data.left_out


def _problems(damaged: Problems) -> tuple[str, ...]:
    return tuple(damaged[position] for position in sorted(damaged)[:MAXIMUM_DAMAGED])
