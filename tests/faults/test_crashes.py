"""A crash of the operator at any write ends in the same state, with the right cause and count, and with nothing done twice."""

import pytest

from tests.faults.faults import Kind, Once
from tests.faults.lab import Lab
from tests.faults.sweep import problems, references
from tests.faults.trial import Trial
from tests.faults.workloads import WORKLOADS, Workload, happy


@pytest.mark.parametrize("workload", WORKLOADS.values(), ids=WORKLOADS)
async def test_a_crash_after_any_write_ends_as_without_it(lab: Lab, workload: Workload) -> None:
    first = 1 if workload is happy else await _first_of_its_own(lab)
    last = len((await references(lab, workload))[0].counted)
    print(f"{workload.__name__}: crashes after the writes {first} to {last}")
    assert await problems(lab, [Trial(workload, Once(Kind.KILL_AFTER, at)) for at in range(first, last + 1)]) == ""


async def _first_of_its_own(lab: Lab) -> int:
    """Number of the first write that other workloads do not share with `happy`: all begin by running."""
    known = (await references(lab, happy))[0].counted
    return len(known)
