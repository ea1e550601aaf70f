"""The batch size: doubled while that pays and memory lasts.

More samples at once use the hardware better up to a point; beyond it they only make the steps fewer. An attempt that dies while
a size is measured has answered too: that size does not fit. The next attempt of the round finds it in the note.
"""

from collections.abc import Callable, Sequence

from trainingrun.api import MOST_BATCH
from trainingrun_trainer.choosing.found import BATCH_SIZE, Found

SMALLEST = 16
GAIN = 1.05
"""A doubling pays when the gang takes more than this times the samples per second."""
LEAST_STEPS = 32
"""Of an epoch: with fewer updates even a fast epoch learns little."""

Row = dict[str, float]


def largest(samples: int, *, batches: int) -> int:
    """The largest size worth measuring, with so many training samples and batches per step."""
    return max(SMALLEST, min(MOST_BATCH, samples // (LEAST_STEPS * batches)))


def next_size(measured: Sequence[Row], *, limit: int) -> int | None:
    """The size to measure after these, or None when that has stopped paying."""
    if not measured:
        return SMALLEST
    if len(measured) > 1 and not _pays(measured[-2], measured[-1]):
        return None
    size = int(measured[-1]["batchSize"]) * 2
    return size if size <= limit else None


def conclude(measured: Sequence[Row], *, limit: int, lost: int | None = None) -> Found:
    """The size to train with; `lost` is one that an attempt did not survive."""
    last = measured[-1]
    if lost is not None:
        chosen, why = last, f"with {lost} an attempt ran out of memory or was killed"
    elif len(measured) > 1 and not _pays(measured[-2], last):
        chosen = measured[-2]
        why = f"with {last['batchSize']:.0f} they are {last['samplesPerSecond']:,.0f}, less than 5 % more"
    else:
        chosen, why = last, f"twice as many would leave fewer than {LEAST_STEPS} steps in an epoch (at most {limit})"
    speed = f"{chosen['samplesPerSecond']:,.0f} samples/s of all ranks with {chosen['batchSize']:.0f}"
    return Found(name=BATCH_SIZE, value=f"{chosen['batchSize']:.0f}", reason=f"{speed}; {why}.", measured=tuple(measured))


def search(
    measure: Callable[[int], float],
    *,
    limit: int,
    measured: Sequence[Row],
    lost: int | None,
    note: Callable[[int, Sequence[Row]], None],
) -> Found:
    """Measure sizes until one is found; `note` is told of each before it is measured, with what has been measured so far."""
    rows = list(measured)
    while lost is None and (size := next_size(rows, limit=limit)) is not None:
        note(size, rows)
        rows.append({"batchSize": float(size), "samplesPerSecond": measure(size)})
    return conclude(rows, limit=limit, lost=lost)


def _pays(before: Row, after: Row) -> bool:
    return after["samplesPerSecond"] > GAIN * before["samplesPerSecond"]
