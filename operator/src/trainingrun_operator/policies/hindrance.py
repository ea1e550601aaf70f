"""What can keep a worker from starting, and what becomes of its attempt then: the vocabulary of the policies of the start."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from trainingrun_operator.model import Reference

_LONGEST = 300
"""Characters of somebody else's words."""


class Prospect(StrEnum):
    """What becomes of an attempt that has not started within the start time-out."""

    PASSES = "Passes"
    """It goes on by itself, and is waited for."""
    FREES = "Frees"
    """Nobody's fault: what the gang holds is freed, and the next attempt uses up no restart."""
    STALLS = "Stalls"
    """Somebody has to change something. There is nothing to free: the attempt stays, and goes on when that has been done."""
    COUNTS = "Counts"
    """The attempt has failed."""


class Need(IntEnum):
    """What a worker has to get, in this order: without the one it does not get the next."""

    POD = 0
    CLAIM = 1
    NODE = 2
    VOLUMES = 3
    IMAGE = 4
    CONTAINER = 5
    TIME = 6


@dataclass(frozen=True)
class Hindrance:
    """What an attempt waits for: a CamelCase word, a sentence, and the way out."""

    need: Need
    cause: str
    message: str
    hint: str = ""
    prospect: Prospect = Prospect.COUNTS
    about: Reference | None = None
    """The object that has to change, where it is not the pod."""


def sentences(*parts: str) -> str:
    """One after the other, each with an end: those of other programs often have none."""
    return " ".join(part if part.endswith((".", "…", "?", "!")) else f"{part}." for part in parts if part)


def shortened(text: str) -> str:
    """Somebody else's words on one line, and not too many of them."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
