"""From trials to sentences: what every fault has changed, against the same workload without faults."""

import pickle
from collections.abc import Sequence

from tests.faults.faults import NoFaults
from tests.faults.lab import Lab
from tests.faults.oracle import Outcome, differences
from tests.faults.sharing import locked
from tests.faults.trial import Trial, run_all
from tests.faults.workloads import Workload


async def references(lab: Lab, workload: Workload) -> list[Outcome]:
    """Two outcomes of a workload without faults, made by whichever process of the session needs them first."""
    folder = lab.common / "references" / workload.__name__
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "outcomes"
    with locked(folder):
        if not file.exists():
            file.write_bytes(pickle.dumps(await _made(lab, workload)))
        known: list[Outcome] = pickle.loads(file.read_bytes())
    return known


async def _made(lab: Lab, workload: Workload) -> list[Outcome]:
    """Raises what has kept one of them from its end."""
    made = []
    for outcome in await run_all(lab, [Trial(workload)] * 2):
        if isinstance(outcome, Exception):
            raise outcome
        made.append(outcome)
    return made


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
