import json
import os
import signal
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.patience import MARGIN, stretch
from tools.suite import accounts

TIMES_VARIABLE = "TRAININGRUN_TEST_TIMES"
"""Names a file to which every test adds a line about its time."""


def pytest_configure() -> None:
    """Before processes are started that inherit it: what this machine was measured to be, and that SIGINT interrupts.

    A shell lets what it runs in the background ignore SIGINT. No property fails because the machine is slow.
    """
    stretch()
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("patient")


def pytest_report_header() -> str:
    """What the machine was measured to be, and what follows from it."""
    slowness = f"this machine takes {stretch():.2f} times a quiet one's time"
    return f"patience: {slowness}, so deadlines are stretched by {MARGIN * stretch():.1f}"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item) -> None:
    """Give the report what was waited for; pytest-xdist carries it to the process that writes it down."""
    item.user_properties.extend(accounts.take())


_seconds: defaultdict[str, float] = defaultdict(float)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add a line about a test that is over. Only the process that runs no tests for another one writes."""
    _seconds[report.nodeid] += report.duration
    file = os.environ.get(TIMES_VARIABLE)
    if report.when != "teardown" or file is None or "PYTEST_XDIST_WORKER" in os.environ:
        return
    waits: defaultdict[str, float] = defaultdict(float)
    for account, seconds in report.user_properties:
        assert isinstance(seconds, float)
        waits[account] += seconds
    line = {"test": report.nodeid, "seconds": _seconds.pop(report.nodeid), "waits": waits}
    with Path(file).open("a") as times:
        times.write(json.dumps(line) + "\n")
