"""Wait for something to become true, with a deadline and a telling failure."""

import time
from collections.abc import Callable
from typing import TypeVar

from tests.patience import patience

Value = TypeVar("Value")


def wait_for(
    fetch: Callable[[], Value], condition: Callable[[Value], bool], *, what: str, timeout: float, interval: float = 0.5
) -> Value:
    """The first value that meets the condition; fails with the last value when none has after `timeout` seconds of patience."""
    patient = patience(timeout)
    deadline = time.monotonic() + patient
    while True:
        value = fetch()
        if condition(value):
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {patient:.0f} s for {what}; last seen: {value}")
        time.sleep(interval)
