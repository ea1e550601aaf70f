"""How long tests wait: deadlines are written for a quiet machine, and stretched to the machine that they run on.

A deadline is there to end a test that would never end. It is no measurement: a slow machine must not turn it into a failure.
"""

import os
import subprocess
import sys
import time
from functools import cache

VARIABLE = "TRAININGRUN_TEST_STRETCH"
"""How much slower than a quiet one this machine is. Measured when a session of tests starts; its processes inherit it."""

QUIET_SECONDS = 0.3
"""What `_WORK` takes on a quiet machine of two processors, each with a copy of it."""
MARGIN = 2.0
"""A machine may become slower after it was measured."""

_WORK = "total = 0\nfor number in range(2_000_000): total += number * number"


def patience(seconds: float) -> float:
    """Seconds to wait here for what has happened after `seconds` on a quiet machine, if it happens at all."""
    return seconds * MARGIN * stretch()


@cache
def stretch() -> float:
    """How much slower than a quiet machine this one is; at least 1. Measured once in a session of tests."""
    known = os.environ.get(VARIABLE)
    if known is None:
        known = os.environ[VARIABLE] = f"{max(1.0, _measure() / QUIET_SECONDS):.2f}"
    return float(known)


def _measure() -> float:
    """Seconds until every processor has started a Python and run a fixed piece of it: what else runs here counts."""
    started = time.monotonic()
    command = [sys.executable, "-I", "-S", "-c", _WORK]
    running = [subprocess.Popen(command) for _ in range(os.cpu_count() or 1)]
    for process in running:
        process.wait()
    return time.monotonic() - started
