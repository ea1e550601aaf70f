"""Bytes of any length from every rank to every rank."""

import numpy as np

from trainingrun_trainer.parallel.gang import Gang

_WIDTH = 8
"""Bytes of the numbers that a gang gathers."""


def gather_bytes(gang: Gang, data: bytes) -> list[bytes]:
    """What each rank has passed, in the order of the ranks."""
    lengths = gang.gather(np.array([float(len(data))])).ravel().astype(np.int64)
    padded = np.zeros(-(-int(lengths.max()) // _WIDTH) * _WIDTH, dtype=np.uint8)
    padded[: len(data)] = np.frombuffer(data, dtype=np.uint8)
    gathered = gang.gather(padded.view(np.float64))
    return [row.view(np.uint8)[:length].tobytes() for row, length in zip(gathered, lengths, strict=True)]
