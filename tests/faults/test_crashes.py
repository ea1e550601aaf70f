"""A crash of the operator at any write ends in the same state, with the right cause and count, and with nothing done twice."""

import pytest

from tests.faults.faults import Kind, Once
from tests.faults.lab import Lab
from tests.faults.sweep import problems, references
from tests.faults.trial import Trial
from tests.faults.workloads import Workload, delete_in_mid_run, happy, tried


# A run that is deleted has been written to before as one that is not; every trial ends by a deletion without an operator.
@pytest.mark.parametrize("workload", tried(without=delete_in_mid_run))
async def test_a_crash_after_any_write_ends_as_without_it(lab: Lab, workload: Workload) -> None:
    first = 1 if workload is happy else await _first_of_its_own(lab)
    last = len((await references(lab, workload))[0].counted)
    print(f"{workload.__name__}: crashes after the writes {first} to {last}; those before are tried in happy")
    assert await problems(lab, [Trial(workload, Once(Kind.KILL_AFTER, at)) for at in range(first, last + 1)]) == ""


async def _first_of_its_own(lab: Lab) -> int:
    """Number of the first write that other workloads do not share with `happy`: all begin by running."""
    return len((await references(lab, happy))[0].counted)
