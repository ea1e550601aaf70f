"""What goes wrong between the operator and the API server, as values. Pure: no I/O, and chance has a seed."""

import random
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Kind(StrEnum):
    """What may happen to a request."""

    KILL_BEFORE = "the operator is killed before it arrives"
    KILL_AFTER = "the operator is killed once it has been carried out"
    DROP_REPLY = "it is carried out, and its reply is lost"
    CONFLICT = "it is refused with 409"
    TOO_MANY = "it is refused with 429"
    SERVER_ERROR = "it is refused with 500"


CODES = {Kind.CONFLICT: 409, Kind.TOO_MANY: 429, Kind.SERVER_ERROR: 500}


class Faults(Protocol):
    """Decides what happens to each request, in the order in which they arrive."""

    def of_write(self, number: int) -> Kind | None:
        """What happens to the write of this number, counted from 1."""

    def of_read(self) -> Kind | None:
        """What happens to the next read, watches included."""


@dataclass(frozen=True)
class NoFaults:
    """Everything goes well."""

    def of_write(self, number: int) -> Kind | None:
        """Nothing."""
        return None

    def of_read(self) -> Kind | None:
        """Nothing."""
        return None


@dataclass(frozen=True)
class Once:
    """One thing goes wrong, at one write."""

    kind: Kind
    at: int

    def of_write(self, number: int) -> Kind | None:
        """The fault, at its write."""
        return self.kind if number == self.at else None

    def of_read(self) -> Kind | None:
        """Nothing."""
        return None

    def __str__(self) -> str:
        return f"write {self.at}: {self.kind}"


class Storm:
    """A share of all requests is refused, by a seed."""

    def __init__(self, *, seed: int, share: float) -> None:
        self._share = share
        self._chance = random.Random(seed)
        self._name = f"storm of seed {seed}"

    def of_write(self, number: int) -> Kind | None:
        """A conflict, a refusal, a server error or a lost reply, or nothing."""
        return self._strike([Kind.CONFLICT, Kind.TOO_MANY, Kind.SERVER_ERROR, Kind.DROP_REPLY])

    def of_read(self) -> Kind | None:
        """A refusal or a server error, or nothing."""
        return self._strike([Kind.TOO_MANY, Kind.SERVER_ERROR])

    def _strike(self, kinds: list[Kind]) -> Kind | None:
        return self._chance.choice(kinds) if self._chance.random() < self._share else None

    def __str__(self) -> str:
        return self._name


@dataclass(frozen=True)
class Watching:
    """What happens to watch events on their way."""

    repeat: int = 1
    """How often each arrives."""
    hold_seconds: float = 0.0
    """They are kept back and arrive in bursts, so many seconds apart."""
