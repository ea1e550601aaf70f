"""What the operator remembers of what workers report."""

from collections.abc import Iterator
from datetime import timedelta

from tests.builders import NOON
from trainingrun.contract import ProgressReport
from trainingrun_operator.control.progress import ProgressBook
from trainingrun_operator.pace import Pace, Timing

KEY = ("team", "mnist")


def a_report(step: int) -> ProgressReport:
    return ProgressReport(attempt=1, step=step, updated_at=NOON)


def test_a_report_that_says_the_same_again_is_no_news() -> None:
    moments: Iterator[int] = iter(range(0, 60, 10))
    book = ProgressBook(pace=Pace(), timing=Timing(), now=lambda: NOON + timedelta(seconds=next(moments)))
    for step in (1, 1, 1):
        book.note(KEY, a_report(step))
    assert book.changed(KEY) == NOON
    book.note(KEY, a_report(2))
    assert book.changed(KEY) == NOON + timedelta(seconds=10)
