"""Waiting for components: while they start, and for one that may only be slow."""

import time
from collections.abc import Callable

from cluster import health
from cluster.components import Component
from cluster.errors import ClusterError
from cluster.layout import Layout
from cluster.processes import Process
from cluster.shell import last_lines

START_TIMEOUT = 120.0
HANG_SECONDS = 30.0
"""For so long a component that runs may be silent: a machine with much to do is slow, and nothing is the matter with it."""


def answers(component: Component, *, where: Layout) -> bool:
    """Whether a component answers now."""
    return component.name in health.answering([component], where=where)


def comes_to_answer(component: Component, *, where: Layout) -> bool:
    """Whether a component that runs answers sooner or later; a question may take all the time that there is."""
    return _comes_true(
        lambda: component.name in health.answering([component], where=where, seconds=HANG_SECONDS), seconds=HANG_SECONDS
    )


def _comes_true(answer: Callable[[], bool], *, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not answer():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def wait(what: str, answer: Callable[[], bool], *, process: Process | None = None) -> None:
    """Wait for an answer; fail at once, with the last words of its log, when the process has ended."""

    def is_over() -> bool:
        return answer() or _has_ended(process)

    came = _comes_true(is_over, seconds=START_TIMEOUT)
    if not came or _has_ended(process):
        why = f"{START_TIMEOUT:.0f} s have passed" if not came else "it ended"
        raise ClusterError(f"Waiting for {what}: {why}. {last_words(process)}")


def _has_ended(process: Process | None) -> bool:
    return process is not None and process.pid() is None


def last_words(process: Process | None) -> str:
    """The end of a process's log, or where to look."""
    if process is None or not process.log.exists():
        return "Look at `make cluster-status`."
    return f"The end of {process.log}:\n{last_lines(process.log.read_text(errors='replace'))}"
