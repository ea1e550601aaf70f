"""From trials to sentences: what every fault has changed, against the same workload without faults."""

from collections.abc import Sequence

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
    """One line about everything that ended otherwise than without faults; empty when all is well."""
    known = {trial.workload: await references(lab, trial.workload) for trial in trials}
    found = []
    for trial, outcome in zip(trials, await run_all(lab, trials), strict=True):
        if isinstance(outcome, Exception):
            found.append(f"{trial}: {outcome}")
        else:
            found += [f"{trial}: {difference}" for difference in differences(known[trial.workload], outcome)]
    return "\n".join(found)
