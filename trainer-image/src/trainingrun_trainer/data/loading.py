"""Encoded samples as the parts of a split: in memory or streamed, and without those that are damaged.

Which samples are damaged is one answer for the whole gang and for every attempt: it follows from the data alone. They are taken
out of the parts after the split, so that none of the others changes its place, and what is left is dealt as ever.
"""

import json
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from trainingrun.api import Damaged, Data
from trainingrun_trainer.context import Context
from trainingrun_trainer.data.damaged import DamagedSamplesError, listed
from trainingrun_trainer.data.dataset import Dataset
from trainingrun_trainer.data.encoded import Encoded
from trainingrun_trainer.data.feed import Feed, InMemory, Split
from trainingrun_trainer.data.parts import Parts
from trainingrun_trainer.data.rounds import together
from trainingrun_trainer.data.streaming import Streamed
from trainingrun_trainer.errors import TrainerError, bad_data
from trainingrun_trainer.parallel.exchange import gather_bytes
from trainingrun_trainer.resources import processors_per_rank

MAXIMUM_DAMAGED = 100
"""Without `spec.data.maximumDamaged`."""

Problems = dict[int, str]
"""What is wrong with the samples at some positions."""


def in_memory(context: Context, data: Encoded, parts: Parts) -> tuple[Split, Problems]:
    """All samples decoded, and what is damaged. All ranks must call this. Raises TrainerError."""
    damaged: Problems = {}
    feeds = [_decoded(context, data, positions, damaged=damaged) for positions in parts]
    _require_few(context, damaged)
    without(parts, damaged, data=data)
    return Split(*feeds), damaged


def streamed(context: Context, data: Encoded, parts: Parts) -> tuple[Split, Problems]:
    """Samples that are read while they are trained on. All ranks must call this. Raises TrainerError.

    Where damaged ones are to be left out, all are looked at first, by all ranks together.
    """
    damaged: Problems = {}
    if context.config.data.damaged is Damaged.SKIP:
        found: Problems = {}
        together(context, _look(context, data, np.sort(np.concatenate(parts)), found=found))
        damaged = _of_all_ranks(context, found)
        _require_few(context, damaged)
    kept = without(parts, damaged, data=data)
    return Split(*(_stream(context, data, positions) for positions in kept)), damaged


def without(parts: Parts, damaged: Problems, *, data: Encoded) -> Parts:
    """The parts without the damaged samples.

    Raises TrainerError (bad data): nothing is left of a part, or of a class that is trained on.
    """
    if not damaged:
        return parts
    gone = np.array(sorted(damaged), dtype=np.int64)
    kept = Parts(*(np.setdiff1d(positions, gone, assume_unique=True) for positions in parts))
    for name, before, after in zip(Parts._fields, parts, kept, strict=True):
        if len(before) > 0 and len(after) == 0:
            raise bad_data(f"All {len(before)} samples for {name} are damaged. Copy them again.")
    lost = np.setdiff1d(data.labels[parts.training], data.labels[kept.training])
    if len(lost) > 0:
        name = data.class_names[lost[0]] if data.class_names else str(lost[0])
        raise bad_data(
            f"All samples of class {name} that would be trained on are damaged. Copy them again, or remove the class."
        )
    return kept


def _stream(context: Context, data: Encoded, positions: NDArray[np.int64], *, damaged: Problems | None = None) -> Streamed:
    """Twice as many threads as this rank has processors: some wait for a disk or a server."""
    threads = 2 * processors_per_rank(context.config.processes_per_worker)
    return Streamed(data, positions, threads=threads, damaged=damaged)


def _look(context: Context, data: Encoded, positions: NDArray[np.int64], *, found: Problems) -> Iterator[None]:
    """Decode this rank's share of the samples for what is damaged; it ends when there are more than may be left out."""
    own = np.array_split(positions, context.gang.size)[context.gang.rank]
    if len(own) == 0:
        return
    for _ in _stream(context, data, own, damaged=found).in_order():
        if len(found) > _most(context.config.data):
            return
        yield


def _of_all_ranks(context: Context, own: Problems) -> Problems:
    """What any rank has found damaged, the same on all of them."""
    shares = gather_bytes(context.gang, json.dumps(list(own.items())).encode())
    return {position: problem for share in shares for position, problem in json.loads(share)}


def _require_few(context: Context, damaged: Problems) -> None:
    """Raises TrainerError (bad data) when damaged samples are refused, or are more than may be left out."""
    if damaged and context.config.data.damaged is Damaged.REFUSE:
        raise DamagedSamplesError(damaged)
    if len(damaged) > _most(context.config.data):
        raise _too_many(damaged, most=_most(context.config.data))


def _most(data: Data) -> int:
    return data.maximum_damaged or MAXIMUM_DAMAGED


def _too_many(found: Problems, *, most: int) -> TrainerError:
    return bad_data(
        f"{listed([found[position] for position in sorted(found)])}. These are more than may be left out: "
        f"spec.data.maximumDamaged is {most}. Copy them again, or raise it."
    )


def _decoded(context: Context, data: Encoded, positions: NDArray[np.int64], *, damaged: Problems) -> Feed:
    """The samples of a part that are not damaged; what is wrong with the others is added to `damaged`.

    The array of one part goes before there is that of the next: a tensor holds the same again.
    """
    found: Problems = {}
    inputs = np.empty((len(positions), *data.shape), dtype=data.dtype)
    together(context, _stream(context, data, positions, damaged=found).into(inputs))
    damaged |= _of_all_ranks(context, found)
    is_well = np.array([position not in damaged for position in positions.tolist()], dtype=np.bool_)
    kept = inputs if is_well.all() else inputs[is_well]
    return InMemory(Dataset(kept, data.labels[positions[is_well]], data.classes))
