"""Two operators at once: one waits for the Lease, and even two that both believe to lead do nothing twice."""

import pytest

from tests.faults.lab import Lab
from tests.faults.sweep import problems
from tests.faults.trial import Rival, Trial
from tests.faults.workloads import Workload, happy, suspend_and_resume


@pytest.mark.parametrize("workload", [happy, suspend_and_resume], ids=lambda workload: str(workload.__name__))
@pytest.mark.parametrize("rival", Rival, ids=["with one Lease", "with a Lease each"])
async def test_two_operators_end_as_one(lab: Lab, workload: Workload, rival: Rival) -> None:
    assert await problems(lab, [Trial(workload, rival=rival)]) == ""
