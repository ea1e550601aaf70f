"""Values that the API server cannot judge: no pod is made for one that no trainer can use, and the status says why."""

from typing import Any

import pytest
from pydantic import ValidationError

from tests.builders import CONFIG, NOON, a_claim, a_run
from tests.manifests import a_manifest
from trainingrun.api import TrainingRun
from trainingrun_operator.decide import decide
from trainingrun_operator.decision import Decision
from trainingrun_operator.observe import observe
from trainingrun_operator.status.unknown_field import with_unknown_field


def look(run: TrainingRun) -> Decision:
    observed = observe(children=(), pods=(), claims={"models": a_claim(modes=("ReadWriteMany",))})
    return decide(run, observed, now=NOON, config=CONFIG)


def test_a_run_with_a_value_that_no_trainer_can_use_waits_without_an_attempt() -> None:
    decision = look(a_run(spec__model__parameters={"units": 64}))
    ready = decision.status.condition("Ready")
    assert (decision.status.attempt, decision.status.resolved) == (0, None)
    assert ready is not None
    assert ready.reason == "InvalidValue"
    assert ready.message.startswith("spec.model.parameters has units, and those of model.builtin are activation, dropout")
    assert "Change it together with a new value of spec.rerun." in ready.message


@pytest.mark.parametrize("parameters", [{"hiddenUnits": [64], "dropout": 0.3}, {}], ids=["good ones", "none"])
def test_one_with_good_values_starts(parameters: dict[str, Any]) -> None:
    assert look(a_run(spec__model__parameters=parameters)).status.attempt == 1


def mistaken(**status: Any) -> tuple[dict[str, Any], ValidationError]:
    """A run of generation 2 with a value that has no room in the contract."""
    model = {"entrypoint": {"function": "my_models:build"}, "parameters": {"hidden-units": 64}}
    manifest = {
        **a_manifest(spec__model=model, spec__rerun="1", metadata__generation=2),
        **({"status": status} if status else {}),
    }
    with pytest.raises(ValidationError) as problem:
        TrainingRun.parse(manifest)
    return manifest, problem.value


def test_a_value_that_has_no_room_in_the_contract_is_no_fault_of_the_operators_age() -> None:
    status = with_unknown_field(*mistaken(), now=NOON)
    assert status is not None
    (stalled,) = status["conditions"]
    assert (stalled["type"], stalled["reason"]) == ("Stalled", "InvalidValue")
    assert stalled["message"].startswith("spec.model.parameters has hidden-units, but a name begins with a letter")


def test_what_is_said_of_it_is_said_of_the_spec_as_it_is_now_and_once() -> None:
    """Argo CD and kstatus take a status about an older spec for an operator that has not looked yet, and wait for ever."""
    first = with_unknown_field(*mistaken(), now=NOON)
    assert first is not None
    assert (first["observedGeneration"], first["conditions"][0]["observedGeneration"]) == (2, 2)
    assert first["rerun"] == "1"
    assert first["columns"]["status"] == "Stalled"
    assert with_unknown_field(*mistaken(**first), now=NOON) is None
    older = {**first, "observedGeneration": 1, "rerun": "0"}
    assert with_unknown_field(*mistaken(**older), now=NOON) == {**first, "rerun": "0"}


def test_a_run_that_has_ended_stays_as_it_has_ended_and_its_last_change_is_seen() -> None:
    ended = {"type": "Succeeded", "status": "True", "reason": "Succeeded", "message": "", "observedGeneration": 1}
    status = with_unknown_field(*mistaken(observedGeneration=1, conditions=[ended]), now=NOON)
    assert status == {"observedGeneration": 2, "conditions": [{**ended, "observedGeneration": 2}]}
    assert with_unknown_field(*mistaken(**status), now=NOON) is None
