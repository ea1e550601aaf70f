"""From `spec.data` to the parts that are trained, validated and tested on."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainingrun.api import (
    BuiltinDataset,
    CSVFiles,
    DataFormat,
    IDXFiles,
    ImageFolder,
    LabelGaps,
    NPZArrays,
    TFRecordFiles,
)
from trainingrun_trainer.choosing.found import Found
from trainingrun_trainer.context import Context
from trainingrun_trainer.data import csv_files, idx, npz
from trainingrun_trainer.data.arrays import ArrayRules
from trainingrun_trainer.data.census import census
from trainingrun_trainer.data.dataset import Dataset
from trainingrun_trainer.data.encoded import Encoded
from trainingrun_trainer.data.features import Feature, encoded, width
from trainingrun_trainer.data.feed import InMemory, Split
from trainingrun_trainer.data.groups import counted, sharing
from trainingrun_trainer.data.image_folder import open_image_folder
from trainingrun_trainer.data.labels import numbering
from trainingrun_trainer.data.left_out import EXAMPLES, LeftOut
from trainingrun_trainer.data.loading import MAXIMUM_DAMAGED, Problems, in_memory, streamed
from trainingrun_trainer.data.memory import require_room, room_for_samples
from trainingrun_trainer.data.parts import Fractions, Parts, part
from trainingrun_trainer.data.same import digest, require_same_on_all_ranks
from trainingrun_trainer.data.standardization import normalization_of
from trainingrun_trainer.data.tf_record import open_tf_record
from trainingrun_trainer.storage import local_folder, open_source

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
    features: tuple[Feature, ...] = ()
    """What the entries of a vector are, if it comes from a table."""
    groups: Mapping[str, int] = MappingProxyType({})
    """How many groups each part has, where samples belong together."""


def load_split(context: Context) -> tuple[Split, About]:
    """Read the samples into memory, or the list of them where they do not fit, and split them. All ranks must call this.

    Raises TrainerError (bad data).
    """
    data, settings = open_data(context), context.config.data
    parts = part(
        data.labels,
        Fractions(validation=settings.validation_fraction, test=settings.test_fraction),
        seed=context.config.training.seed,
        held_out=data.held_out,
        groups=data.groups,
        class_names=data.class_names,
    )
    require_same_on_all_ranks(context.gang, digest(data.sha256, parts))
    if isinstance(data, Dataset):
        split, about = _as_it_is(context, data, parts)
    else:
        split, about = _decoded(context, data, parts)
    groups = counted(data.groups, parts._asdict())
    about = about._replace(groups=groups, found=(*about.found, *sharing(groups)))
    if context.is_chief:
        counts = np.bincount(data.labels, minlength=data.classes).tolist()
        sizes = {"training": len(split.training), "validation": len(split.validation), "test": len(split.test)}
        print(census(counts, names=data.class_names, parts=sizes), flush=True)
        if about.left_out:
            print(f"left out of the data: {'; '.join(map(str, about.left_out))}", flush=True)
    return _normalized(context, split), about


def _as_it_is(context: Context, data: Dataset, parts: Parts) -> tuple[Split, About]:
    """The parts of data that has been read as a whole."""
    samples, features = _encoded(context, data, training=parts.training)
    split = Split(*(InMemory(samples.take(positions)) for positions in parts), sha256=digest(data.sha256, parts))
    found = (*data.found, *numbering(data.class_names))
    return split, About(data.sha256, data.class_names, is_streamed=False, found=found, features=features)


def _decoded(context: Context, data: Encoded, parts: Parts) -> tuple[Split, About]:
    """The parts of a list of samples, decoded now or while they are trained on, without those that are damaged."""
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
    return replace(split, sha256=digest(data.sha256, parts, without=damaged)), about


def open_data(context: Context) -> Dataset | Encoded:
    """The samples of formats that are read as a whole, or a list of those that are read one by one."""
    data = context.config.data
    if data.source.builtin is not None:
        name, files = _BUILTIN[data.source.builtin]
        return idx.load(local_folder(context.settings.builtin_data / name), files)
    folder = open_source(
        data.source, mount=context.settings.data, access=context.settings.data_access, patience=context.patience
    )
    match data.format:
        case DataFormat.NPZ:
            arrays = data.npz or NPZArrays()
            rules = _rules("npz", arrays, gaps=data.label_gaps)
            return npz.load(folder, arrays, rules=rules)
        case DataFormat.IMAGE_FOLDER:
            return open_image_folder(context, folder, data.image_folder or ImageFolder(), size=data.image)
        case DataFormat.TF_RECORD:
            settings = data.tf_record or TFRecordFiles()
            return open_tf_record(context, folder, settings, size=data.image, gaps=data.label_gaps)
        case DataFormat.CSV:
            return csv_files.load(context, folder, data.csv or CSVFiles(), gaps=data.label_gaps)
        case _:
            files = data.idx or IDXFiles()
            rules = _rules("idx", files, gaps=data.label_gaps)
            return idx.load(folder, files, rules=rules)


def _rules(block: str, settings: IDXFiles | NPZArrays, *, gaps: LabelGaps) -> ArrayRules:
    return ArrayRules(block, channels=settings.channels, divisor=settings.divisor, gaps=gaps)


def _encoded(context: Context, data: Dataset, *, training: NDArray[np.int64]) -> tuple[Dataset, tuple[Feature, ...]]:
    """A table as features; other data as it is."""
    if not data.columns:
        return data, ()
    samples_bytes = len(data) * width(data) * data.inputs.itemsize
    require_room(samples_bytes, room=room_for_samples(context), what="The table with a feature for each category")
    return encoded(data, training=training)


def _normalized(context: Context, split: Split) -> Split:
    """The same samples, which networks will see as `spec.data.normalization` says."""
    normalization = normalization_of(context, split.training)
    for feed in (split.training, split.validation, split.test):
        feed.normalization = normalization
    return split


def _fits_in_memory(context: Context, data: Encoded) -> bool:
    """Whether every rank of the gang has room for all samples; the same answer on all of them."""
    return len(data) * int(np.prod(data.shape)) * data.dtype.itemsize <= room_for_samples(context)


def _left_out(data: Encoded, damaged: Problems) -> tuple[LeftOut, ...]:
    """All that is no sample of the run, the damaged ones first."""
    if not damaged:
        return data.left_out
    examples = tuple(data.name(position) for position in sorted(damaged)[:EXAMPLES])
    return LeftOut("damaged images", len(damaged), examples), *data.left_out


def _problems(damaged: Problems) -> tuple[str, ...]:
    return tuple(damaged[position] for position in sorted(damaged)[:MAXIMUM_DAMAGED])
