"""The claims that a run waits for, wherever it names them."""

from typing import Any

import pytest

from tests.builders import CONFIG, NOON, a_claim, a_run, an_active_run, children
from trainingrun.api import TrainingRun
from trainingrun_operator.decide import decide
from trainingrun_operator.decision import Decision
from trainingrun_operator.observe import observe
from trainingrun_operator.policies.claims import claim_names

WORKERS: dict[str, Any] = {
    "replicas": 2,
    "volumes": [
        {"name": "token", "mountPath": "/mnt/token", "secret": {"secretName": "token"}},
        {"name": "extra", "mountPath": "/mnt/extra", "persistentVolumeClaim": {"claimName": "embeddings"}},
    ],
}
DATA = {"source": {"persistentVolumeClaim": {"claimName": "datasets"}}, "format": "IDX"}
SHARED = ("ReadWriteMany",)


def look(run: TrainingRun, **modes: tuple[str, ...] | None) -> Decision:
    """Decide on a run whose claims have these access modes; None is a claim that does not exist."""
    claims = {name: None if given is None else a_claim(name, modes=given) for name, given in modes.items()}
    return decide(run, observe(children=_service(run), pods=(), claims=claims, progress=None), now=NOON, config=CONFIG)


def _service(run: TrainingRun) -> Any:
    return children(run, without=("ConfigMap", "NetworkPolicy", "Job")) if run.status.attempt else ()


def test_every_claim_is_asked_for_once() -> None:
    run = a_run(spec__workers=WORKERS, spec__data=DATA)
    assert claim_names(run) == ("models", "datasets", "embeddings")
    twice = {**WORKERS, "volumes": [{**WORKERS["volumes"][1], "persistentVolumeClaim": {"claimName": "models"}}]}
    assert claim_names(a_run(spec__workers=twice)) == ("models",)


def test_a_claim_of_the_users_volumes_is_waited_for_and_its_path_is_named() -> None:
    decision = look(a_run(spec__workers=WORKERS), models=SHARED, embeddings=None)
    found = decision.status.conditions[0]
    assert (found.reason, decision.status.attempt) == ("ClaimNotFound", 0)
    assert "embeddings (spec.workers.volumes[1].persistentVolumeClaim.claimName)" in found.message


def test_a_users_claim_for_one_pod_is_refused_for_two_workers() -> None:
    decision = look(a_run(spec__workers=WORKERS), models=SHARED, embeddings=("ReadWriteOncePod",))
    assert decision.status.conditions[0].reason == "ClaimNotShareable"


@pytest.mark.parametrize(("modes", "together"), [(("ReadWriteOnce",), True), (SHARED, False)], ids=["one node", "many nodes"])
def test_a_users_claim_of_one_node_keeps_the_workers_together(modes: tuple[str, ...], together: bool) -> None:
    run = an_active_run(status={"timeline": {}}, spec__workers=WORKERS)
    decision = look(run, models=SHARED, embeddings=modes)
    job = decision.create[-1]
    assert ("affinity" in job["spec"]["template"]["spec"]) is together
