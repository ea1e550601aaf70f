"""Refusals, lost replies, and watch events that come twice or late change nothing about how a run ends."""

import random

import pytest

from tests.faults.faults import Kind, Once, Storm, Watching
from tests.faults.lab import Lab
from tests.faults.sweep import problems, references
from tests.faults.trial import Trial
from tests.faults.workloads import Workload, happy, suspend_and_resume, tried

SEED = 7
SHARE = 0.05


@pytest.mark.parametrize("workload", tried())
async def test_a_fault_at_some_write_ends_as_without_it(lab: Lab, workload: Workload) -> None:
    count = len((await references(lab, workload))[0].counted)
    chance = random.Random(f"{SEED} {workload.__name__}")
    kinds = [Kind.KILL_BEFORE, Kind.DROP_REPLY, Kind.CONFLICT, Kind.TOO_MANY, Kind.SERVER_ERROR]
    faults = [Once(kind, chance.randint(1, count)) for kind in kinds]
    print(f"{workload.__name__}, seed {SEED}: {', '.join(map(str, faults))}")
    assert await problems(lab, [Trial(workload, fault) for fault in faults]) == ""


@pytest.mark.parametrize("workload", [happy, suspend_and_resume], ids=lambda workload: str(workload.__name__))
async def test_a_storm_of_refusals_only_takes_time(lab: Lab, workload: Workload) -> None:
    trials = [Trial(workload, Storm(seed=seed, share=SHARE)) for seed in range(SEED, SEED + 2)]
    assert await problems(lab, trials) == ""


@pytest.mark.parametrize("watching", [Watching(repeat=2), Watching(hold_seconds=2.0)], ids=["doubled", "held back"])
async def test_events_that_come_twice_or_late_change_nothing(lab: Lab, watching: Watching) -> None:
    trials = [Trial(workload, watching=watching) for workload in (happy, suspend_and_resume)]
    assert await problems(lab, trials) == ""
