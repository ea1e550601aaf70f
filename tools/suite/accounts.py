"""What a test waits for, so that `make test` can say where the time has gone."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum


class Account(StrEnum):
    """What is waited for."""

    IMPORT = "TensorFlow's import"
    BACKOFF = "a back-off"
    IMAGE = "an image"
    CLUSTER = "the cluster"


_waited: dict[str, float] = {}


@contextmanager
def waiting(account: Account) -> Iterator[None]:
    """Book the time of this block."""
    started = time.monotonic()
    try:
        yield
    finally:
        book(account, seconds=time.monotonic() - started)


def book(account: Account, *, seconds: float) -> None:
    """Add what somebody else has measured."""
    _waited[account.value] = _waited.get(account.value, 0.0) + seconds


def take() -> list[tuple[str, object]]:
    """What has been booked since the last call, in seconds: properties of a report of pytest, of plain types."""
    taken: list[tuple[str, object]] = list(_waited.items())
    _waited.clear()
    return taken
