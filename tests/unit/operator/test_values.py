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


def test_a_value_that_has_no_room_in_the_contract_is_no_fault_of_the_operators_age() -> None:
    model = {"entrypoint": {"function": "my_models:build"}, "parameters": {"hidden-units": 64}}
    manifest = a_manifest(spec__model=model)
    with pytest.raises(ValidationError) as problem:
        TrainingRun.parse(manifest)
    status = with_unknown_field(manifest, problem.value, now=NOON)
    assert status is not None
    (stalled,) = status["conditions"]
    assert (stalled["type"], stalled["reason"]) == ("Stalled", "InvalidValue")
    assert stalled["message"].startswith("spec.model.parameters has hidden-units, but a name begins with a letter")
