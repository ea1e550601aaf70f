"""What MPI adds to an attempt: a folder in memory, and a secret that only the Job's pods know. And what Horovod is told."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.builders import CONFIG, NOON, a_claim, a_run, an_active_run, children
from tests.pods import by_name, pod_of, the_container
from trainingrun.api import Transport
from trainingrun_operator.children.config_map import attempt_config
from trainingrun_operator.children.token import attempt_token
from trainingrun_operator.config import OperatorConfig
from trainingrun_operator.decide import decide
from trainingrun_operator.decision import Decision
from trainingrun_operator.observe import observe

Raw = dict[str, Any]
MPI: Raw = {"spec__strategy": {"transport": "MPI"}}


def test_keys_are_kept_in_memory_of_the_pod_alone() -> None:
    pod = pod_of(an_active_run(**MPI))
    assert by_name(pod["volumes"])["mpi"] == {"emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}}
    assert by_name(the_container(pod)["volumeMounts"])["mpi"] == {"mountPath": "/run/trainingrun-mpi"}


@pytest.mark.parametrize(("workers", "strategy"), [(2, {}), (1, {"transport": "MPI"})], ids=["Gloo", "a worker alone"])
def test_nobody_gets_a_secret_who_needs_none(workers: int, strategy: Raw) -> None:
    run = an_active_run(spec__workers={"replicas": workers, "processesPerWorker": 2}, workers=workers, spec__strategy=strategy)
    assert "TRAININGRUN_TOKEN" not in by_name(the_container(pod_of(run))["env"])


def creation(config: OperatorConfig = CONFIG, *, attempt: int = 1) -> Decision:
    """The step that makes the Job of an attempt."""
    run = an_active_run(attempt=attempt, status={"timeline": None}, **MPI)
    made = children(run, attempt=attempt, without=("Job",))
    return decide(run, observe(children=made, pods=[], claims={"models": a_claim()}), now=NOON, config=config)


def token(decision: Decision) -> str:
    (job,) = (manifest for manifest in decision.create if manifest["kind"] == "Job")
    return str(by_name(the_container(job["spec"]["template"]["spec"])["env"])["TRAININGRUN_TOKEN"]["value"])


def test_the_secret_is_in_the_job_and_nowhere_else() -> None:
    decision = creation()
    said = json.dumps([manifest for manifest in decision.create if manifest["kind"] != "Job"], default=str)
    assert len(token(decision)) == 64
    assert token(decision) not in said + repr(decision.status) + repr(decision.events)


def test_every_attempt_run_and_operator_has_another_secret() -> None:
    run = an_active_run()
    others = [token(creation()), token(creation(attempt=2)), token(creation(replace(CONFIG, seed=b"another")))]
    others.append(attempt_token(a_run(uid="22222222-2222-3333-4444-555555555555"), attempt=1, seed=CONFIG.seed))
    assert len(set(others)) == 4
    assert attempt_token(run, attempt=1, seed=CONFIG.seed) == others[0]


def test_a_look_at_the_configuration_does_not_show_the_seed() -> None:
    assert "seed" not in repr(CONFIG)


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ({}, (Transport.GLOO, None, None)),
        ({"transport": "MPI", "fusionThreshold": "64Mi", "cycleTimeMilliseconds": 2.5}, (Transport.MPI, 67108864, 2.5)),
        ({"fusionThreshold": 0}, (Transport.GLOO, 0, None)),
    ],
)
def test_the_trainer_is_told_what_horovod_is_to_do(strategy: Raw, expected: tuple[Any, ...]) -> None:
    run = an_active_run(spec__strategy=strategy)
    assert run.status.resolved is not None
    config = attempt_config(run, attempt=1, resolved=run.status.resolved)
    assert (config.transport, config.fusion_threshold_bytes, config.cycle_time_milliseconds) == expected
