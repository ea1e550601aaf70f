"""Trainer images older than the operator: what they do not know they are not told, or it is said before pods are made."""

import json
import sys
from typing import Any

import pytest

from tests.builders import CONFIG, NOON, a_claim, a_failed_pod, a_pod, a_record, a_run, an_active_run, children
from trainingrun.api import Resolved, TrainingRun
from trainingrun.contract import Cause, ProgressReport
from trainingrun.contract_version import Need
from trainingrun_operator.children import config_map
from trainingrun_operator.decide import decide
from trainingrun_operator.decision import Decision
from trainingrun_operator.observe import observe
from trainingrun_operator.policies import trainer

IMAGE = "team/trainer:1"
SPOKEN = {"trainer": {"image": IMAGE, "contractVersion": 1}}


def look(run: TrainingRun, *, report: ProgressReport | None = None, pods: tuple[dict[str, Any], ...] = ()) -> Decision:
    made = children(run) if run.status.resolved is not None else ()
    observed = observe(children=made, pods=pods, claims={"models": a_claim(modes=("ReadWriteMany",))}, progress=report)
    return decide(run, observed, now=NOON, config=CONFIG)


@pytest.fixture
def needs_version_2(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every run has a field that came with version 2."""
    monkeypatch.setattr(trainer, "version_needed", lambda config: Need(2, "training.placement"))


def test_what_a_pod_says_of_its_image_is_kept() -> None:
    report = ProgressReport(attempt=1, contract_version=3, updated_at=NOON)
    said = look(an_active_run(), report=report, pods=(a_pod(0), a_pod(1))).status.trainer
    assert said is not None
    assert (said.image, said.contract_version) == ("trainer:1", 3)


def test_one_that_does_not_say_speaks_version_1_and_so_does_one_that_gave_up_at_once() -> None:
    failed = a_failed_pod(0, code=64, record=a_record(code=64, attempt=0, cause=Cause.BAD_CONFIG))
    said = look(an_active_run(workers=1), pods=(failed,)).status.trainer
    assert said is not None
    assert said.contract_version == 1


def test_what_an_image_said_outlives_its_attempt_and_its_round() -> None:
    ended = [{"type": "Succeeded", "status": "False", "reason": "BadConfig", "lastTransitionTime": "2026-11-24T11:59:00Z"}]
    run = a_run(status={"attempt": 1, "conditions": ended, "observedGeneration": 1, **SPOKEN}, spec__rerun="again")
    decision = look(run)
    assert (decision.status.round, decision.status.trainer) == (2, run.status.trainer)


@pytest.mark.usefixtures("needs_version_2")
def test_no_pods_are_made_for_what_the_image_has_said_that_it_does_not_know() -> None:
    status = look(a_run(status=SPOKEN, spec__image=IMAGE)).status
    ready = status.condition("Ready")
    assert (status.attempt, status.resolved) == (0, None)
    assert ready is not None
    assert ready.reason == "TrainerTooOld"
    for words in (f"The trainer image {IMAGE} speaks version 1", "spec.training.placement needs version 2", "spec.image"):
        assert words in ready.message


@pytest.mark.parametrize(
    ("image", "spoken"),
    [("team/trainer:2", SPOKEN), (IMAGE, {}), (IMAGE, {"trainer": {"image": IMAGE, "contractVersion": 2}})],
    ids=["another image", "one that has not spoken", "one that knows it"],
)
@pytest.mark.usefixtures("needs_version_2")
def test_an_image_that_may_know_it_is_started(image: str, spoken: dict[str, Any]) -> None:
    assert look(a_run(status=spoken, spec__image=image)).status.attempt == 1


TABLE = {"source": {"persistentVolumeClaim": {"claimName": "datasets"}}, "format": "CSV"}


@pytest.mark.parametrize(
    ("data", "spoken", "told"),
    [
        (TABLE, {}, "Standardize"),
        (TABLE, {"trainer": {"image": IMAGE, "contractVersion": 2}}, "Standardize"),
        (TABLE, {"trainer": {"image": "team/trainer:0", "contractVersion": 1}}, "Standardize"),
        (TABLE, SPOKEN, None),
        ({**TABLE, "normalization": "None"}, {}, None),
        ({**TABLE, "format": "NPZ"}, {}, None),
        ({**TABLE, "format": "NPZ", "normalization": "Standardize"}, {}, "Standardize"),
    ],
    ids=["a table", "known to know it", "another was older", "known to be older", "switched off", "arrays", "switched on"],
)
def test_a_table_is_standardised_by_an_image_that_may_know_how(data: Any, spoken: Any, told: str | None) -> None:
    resolved = Resolved(image=IMAGE, strategy="Single", replicas=1, processes_per_worker=1)
    manifest = config_map(a_run(workers=1, spec__data=data, status=spoken), attempt=1, resolved=resolved)
    config = json.loads(manifest["data"]["config.json"])
    assert config["data"].get("normalization") == told
    assert config.get("contractVersion", 1) == (1 if told is None else 2)


def test_an_image_is_told_which_version_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    def told(workers: int = 2, **spec: Any) -> dict[str, Any]:
        strategy = "Single" if workers == 1 else "Horovod"
        resolved = Resolved(image=IMAGE, strategy=strategy, replicas=workers, processes_per_worker=1)
        manifest = config_map(a_run(workers=workers, **spec), attempt=1, resolved=resolved)
        config: dict[str, Any] = json.loads(manifest["data"]["config.json"])
        return config

    first: dict[str, Any] = {"spec__training": {"schedule": {"scaling": "Linear"}}}
    assert "contractVersion" not in told(**first)
    assert told(**first)["training"] == {}
    assert (told()["contractVersion"], told()["training"]["schedule"]) == (2, {"scaling": "Auto"})
    assert "contractVersion" not in told(workers=1)  # nothing to scale by
    passes: dict[str, Any] = {"spec__strategy": {"backwardPassesPerStep": 4}}
    assert told(workers=1, **passes)["training"]["schedule"] == {"scaling": "Auto"}
    monkeypatch.setattr(sys.modules[config_map.__module__], "version_needed", lambda config: Need(2, "training.placement"))
    assert told(**first)["contractVersion"] == 2


@pytest.mark.parametrize(
    ("optimizer", "told"),
    [("Adam", {"schedule": {"scaling": "SquareRoot"}}), ("SGD", {"optimizer": {"name": "SGD"}})],
)
def test_an_image_that_is_known_to_be_older_is_told_the_rule_that_auto_stands_for(optimizer: str, told: dict[str, Any]) -> None:
    run = a_run(status=SPOKEN, spec__image=IMAGE, spec__training={"optimizer": {"name": optimizer}})
    resolved = Resolved(image=IMAGE, strategy="Horovod", replicas=2, processes_per_worker=1)
    config = json.loads(config_map(run, attempt=1, resolved=resolved)["data"]["config.json"])
    assert ("contractVersion" in config, config["training"]) == (False, told)
    assert look(run).status.attempt == 1
