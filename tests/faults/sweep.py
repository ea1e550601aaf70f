"""From trials to sentences: what every fault has changed, against the same workload without faults."""

from collections.abc import Sequence

from tests.faults.faults import NoFaults
from tests.faults.lab import Lab
from tests.faults.oracle import Outcome, differences
from tests.faults.trial import Trial, run_all
from tests.faults.workloads import WORKLOADS, Workload

_known: dict[Workload, list[Outcome]] = {}


async def references(lab: Lab, workload: Workload) -> list[Outcome]:
    """Two outcomes of a workload without faults; those of all workloads are made at the first call."""
    if not _known:
        works = list(WORKLOADS.values())
        outcomes = await run_all(lab, [Trial(work) for work in works * 2])
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome
        made = [outcome for outcome in outcomes if isinstance(outcome, Outcome)]
        _known.update({work: [made[number], made[number + len(works)]] for number, work in enumerate(works)})
    return _known[workload]


async def problems(lab: Lab, trials: Sequence[Trial]) -> str:
    """One line about everything that ended otherwise than without faults; empty when all is well.

    How often a run that starts is looked at, and so the number of its writes, varies by one or two: a fault at a write that did
    not come is printed. Faults that mostly do not come are a problem themselves.
    """
    known = {trial.workload: await references(lab, trial.workload) for trial in trials}
    found, missed = [], []
    for trial, outcome in zip(trials, await run_all(lab, trials), strict=True):
        if isinstance(outcome, Exception):
            found.append(f"{trial}: {outcome}")
            continue
        found += [f"{trial}: {difference}" for difference in differences(known[trial.workload], outcome)]
        if not outcome.struck and not isinstance(trial.faults, NoFaults):
            missed.append(f"{trial}: there was no such write")
    for line in missed:
        print(line)
    return "\n".join([*found, *(missed if len(missed) > len(trials) / 3 else [])])
