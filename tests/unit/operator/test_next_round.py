"""What a round knows of the ones before."""

from tests.builders import CONFIG, NOON, a_claim, a_run, stamp
from trainingrun.api.base import to_wire
from trainingrun_operator.decide import decide
from trainingrun_operator.observe import observe

KEPT = {"attempt", "conditions", "columns", "history", "ledger", "observedGeneration", "rerun", "round", "stage"}

EVERYTHING = {
    "observedGeneration": 1,
    "conditions": [{"type": "Succeeded", "status": "True", "reason": "Completed", "lastTransitionTime": stamp(NOON)}],
    "stage": "Finished",
    "attempt": 3,
    "restarts": 2,
    "retryAt": stamp(NOON),
    "waitingSince": stamp(NOON),
    "startTime": stamp(NOON),
    "completionTime": stamp(NOON),
    "clock": {"activeSeconds": 60},
    "stopping": {"attempt": 3, "reason": "Rerun"},
    "checkpoint": {"stage": "Training", "epoch": 3, "attempt": 3},
    "choices": [{"name": "training.batchSize", "value": "256"}],
    "progress": {"stage": "Training", "percent": 100},
    "tuning": {"trials": 4, "completed": 4, "attempt": 3},
    "timeline": {"created": stamp(NOON)},
    "result": {"epochs": 3},
    "failure": {"cause": "RankFailed", "message": "It failed."},
}


def test_a_round_begins_with_nothing_of_the_one_before_but_its_history() -> None:
    run = a_run(spec__rerun="again", status=EVERYTHING)
    assert set(EVERYTHING) - KEPT <= to_wire(run.status).keys()
    status = decide(run, observe(children=(), pods=(), claims={"models": a_claim()}), now=NOON, config=CONFIG).status
    left = {name: value for name, value in to_wire(status).items() if name not in KEPT}
    assert (status.round, left) == (2, {name: value for name, value in to_wire(a_run().status).items() if name not in KEPT})
