"""Samples that cannot be read: told together, with the way out."""

from collections.abc import Mapping, Sequence

import numpy as np

from trainingrun.contract import Cause, ExitCode
from trainingrun_trainer.data.arrays import Array
from trainingrun_trainer.data.encoded import Encoded, Positions
from trainingrun_trainer.data.files import LISTED
from trainingrun_trainer.errors import TrainerError

Problems = Mapping[int, str]
"""What is wrong with the samples at some positions: clauses that begin with the name."""

WAY_OUT = "Copy it again, convert it, or leave it out; spec.data.damaged: Skip leaves out what is damaged."
WAYS_OUT = "Copy them again, convert them, or leave them out; spec.data.damaged: Skip leaves out what is damaged."


class DamagedSamplesError(TrainerError):
    """Bad data: samples that cannot be decoded."""

    def __init__(self, found: Problems, *, also: str = "") -> None:
        """`also` is a sentence about how they were found."""
        self.found = dict(found)
        super().__init__(f"{told(self.found)}{also}", cause=Cause.BAD_DATA, exit_code=ExitCode.BAD_DATA)


def told(found: Problems) -> str:
    """All of them in a sentence or two, the first by their names."""
    problems = [found[position] for position in sorted(found)]
    if len(problems) == 1:
        return f"{problems[0]}. {WAY_OUT}"
    return f"{listed(problems)}. {WAYS_OUT}"


def listed(problems: Sequence[str]) -> str:
    """How many there are, and what is wrong with the first."""
    more = f"; and {len(problems) - LISTED} more" if len(problems) > LISTED else ""
    return f"{len(problems)} samples are damaged: {'; '.join(problems[:LISTED])}{more}"


def decode_intact(data: Encoded, contents: Sequence[bytes], *, positions: Positions) -> tuple[Array, dict[int, str]]:
    """The samples as [n, *shape], and what is wrong with those that are damaged, which are zeros. Raises TrainerError."""
    try:
        return data.decode(contents, positions=positions), {}
    except DamagedSamplesError as damaged:
        found = damaged.found
    decoded = np.zeros((len(positions), *data.shape), data.dtype)
    whole = np.array([int(position) not in found for position in positions])
    if whole.any():
        decoded[whole] = data.decode([contents[place] for place in np.flatnonzero(whole).tolist()], positions=positions[whole])
    return decoded, found
