"""What the API server cannot see in a spec is said in a sentence that names the field, the value and the way out."""

from typing import Any

import pytest
from pydantic import ValidationError

from tests.manifests import a_manifest
from trainingrun.api import TrainingRun
from trainingrun.api.mistakes import mistakes

RATE, BATCH, OPTIMIZER = "training.optimizer.learningRate", "training.batchSize", "training.optimizer.name"
AN_APPLICATION = {"application": {"name": "MobileNetV2"}}
TURNS = {"name": "augmentation.rotationDegrees", "int": {"minimum": 0, "maximum": 20, "step": 10}}
OWN = {"entrypoint": {"function": "my_models:build"}}


def found(**changes: Any) -> list[str]:
    """The mistakes of a run."""
    return list(mistakes(TrainingRun.parse(a_manifest(**changes)).spec))


def a_list(name: str, *values: Any) -> dict[str, Any]:
    """A searched list of values."""
    return {"name": name, "categorical": list(values)}


def a_search(*parameters: dict[str, Any], **tuning: Any) -> dict[str, Any]:
    """A run that searches these parameters."""
    return {"spec__tuning": {"parameters": list(parameters), **tuning}}


def a_grid(*parameters: dict[str, Any], trials: int) -> dict[str, Any]:
    return a_search(*parameters, algorithm="Grid", trials=trials)


GOOD: dict[str, dict[str, Any]] = {
    "numbers": a_search(a_list(RATE, 0.001, 1e-5, "0.1"), a_list(BATCH, 32, "64")),
    "words": a_search(a_list(OPTIMIZER, "Adam", "SGD"), a_list("augmentation.horizontalFlip", True, False)),
    "sizes": a_search(a_list("model.parameters.hiddenUnits", [64], [128, 64])),
    "what one of the searched optimizers reads": a_search(
        a_list(OPTIMIZER, "Adam", "SGD"), a_list("training.optimizer.momentum", 0.5, 0.9)
    ),
    "a grid that fits": a_grid(a_list(BATCH, 8, 9), TURNS, trials=6),
    "any parameter of a user's function": {
        "spec__model": {**OWN, "parameters": {"units": 64, "dropout": 0.3, "hidden": [64, 32], "residual": True}}
    },
}


@pytest.mark.parametrize("changes", GOOD.values(), ids=GOOD)
def test_what_is_right_is_no_mistake(changes: dict[str, Any]) -> None:
    assert found(**changes) == []


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "a parameter that no built-in network has": (
        {"spec__model__parameters": {"units": 64, "dropout": 0.3}},
        "spec.model.parameters has units, and those of model.builtin are activation, dropout, hiddenUnits, filters, "
        "kernelSize: correct or remove it.",
    ),
    "two that no application has": (
        {"spec__model": {**AN_APPLICATION, "parameters": {"width": 1, "depth": 2}}},
        "spec.model.parameters has width, depth, and those of model.application are alpha, dropout, inputSize, minimalistic, "
        "normalizationMomentum, pooling: correct or remove them.",
    ),
    "a value twice": (a_search(a_list(BATCH, 32, "32")), f"spec.tuning.parameters {BATCH} lists a value twice: remove one."),
    "batches of words": (
        a_search(a_list(BATCH, 64, "many")),
        f"spec.tuning.parameters {BATCH} lists many, which cannot stand there: it must be a whole number.",
    ),
    "what is searched for": (
        a_search(a_list(BATCH, 64, "Auto")),
        f"spec.tuning.parameters {BATCH} lists Auto, which cannot stand there: it must be a number, as the search is what "
        "finds one.",
    ),
    "half a sample": (
        a_search(a_list(BATCH, 0.5)),
        f"spec.tuning.parameters {BATCH} lists 0.5, which cannot stand there: it must be a whole number.",
    ),
    "a huge batch": (
        a_search(a_list(BATCH, 65537)),
        f"spec.tuning.parameters {BATCH} lists 65537, which cannot stand there: it must be less than or equal to 65536.",
    ),
    "a rate in words": (
        a_search(a_list(RATE, 0.1, "small")),
        f"spec.tuning.parameters {RATE} lists small, which cannot stand there: it must be a number.",
    ),
    "a rate of zero": (
        a_search(a_list(RATE, 0.1, 0)),
        f"spec.tuning.parameters {RATE} lists 0, which cannot stand there: it must be greater than 0.",
    ),
    "too much shear": (
        a_search(a_list("augmentation.shearDegrees", 90)),
        "spec.tuning.parameters augmentation.shearDegrees lists 90, which cannot stand there: it must be less than 90.",
    ),
    "an unknown optimizer": (
        a_search(a_list(OPTIMIZER, "Adam", "Lion")),
        f"spec.tuning.parameters {OPTIMIZER} lists Lion, which cannot stand there: it must be 'Adam', 'AdamW', 'SGD' or "
        "'RMSprop'.",
    ),
    "flips of another word": (
        a_search(a_list("augmentation.horizontalFlip", "perhaps")),
        "spec.tuning.parameters augmentation.horizontalFlip lists perhaps, which cannot stand there: it must be true or false.",
    ),
    "momentum for Adam": (
        a_search(a_list("training.optimizer.momentum", 0.9)),
        f"spec.tuning.parameters training.optimizer.momentum is only read with {OPTIMIZER} SGD or RMSprop: remove it, set "
        f"{OPTIMIZER}, or search it with SGD or RMSprop among its values.",
    ),
    "a range of decay for SGD": (
        {
            **a_search({"name": "training.optimizer.weightDecay", "double": {"minimum": 0, "maximum": 0.9}}),
            "spec__training__optimizer": {"name": "SGD"},
        },
        f"spec.tuning.parameters training.optimizer.weightDecay is only read with {OPTIMIZER} AdamW: remove it, set "
        f"{OPTIMIZER}, or search it with AdamW among its values.",
    ),
    "a factor without Step": (
        a_search(a_list("training.schedule.stepFactor", 0.5)),
        "spec.tuning.parameters training.schedule.stepFactor is only read with training.schedule.type Step: remove it, set "
        "training.schedule.type, or search it with Step among its values.",
    ),
    "Step without steps": (
        a_search(a_list("training.schedule.type", "Constant", "Step")),
        "spec.tuning.parameters training.schedule.type Step needs training.schedule.stepEpochs: search it too, or remove Step.",
    ),
    "a grid larger than the trials": (
        a_grid(a_list(BATCH, 8, 9), TURNS, trials=5),
        "spec.tuning.algorithm Grid has 6 points (the numbers of values, multiplied), more than spec.tuning.trials 5: raise "
        "trials, take fewer values, or use TPE or Random.",
    ),
}


@pytest.mark.parametrize(("changes", "sentence"), BAD.values(), ids=BAD)
def test_a_mistake_is_named_with_the_way_out(changes: dict[str, Any], sentence: str) -> None:
    assert found(**changes) == [sentence]


UNTOLD: dict[str, tuple[dict[str, Any], str]] = {
    "a name with a dash": (
        {"spec__model": {**OWN, "parameters": {"hidden-units": 64}}},
        "spec.model.parameters has hidden-units, but a name begins with a letter, goes on with letters, digits and _",
    ),
    "a long value": (
        {"spec__model": {**OWN, "parameters": {"widths": list(range(200))}}},
        "spec.model.parameters widths is 890 characters long, and at most 255 can be handed to the trainer: shorten it",
    ),
    "an empty value": (
        a_search(a_list(OPTIMIZER, "")),
        f"spec.tuning.parameters {OPTIMIZER} lists a value of 0 characters, and there may be 1 to 63: correct or remove it",
    ),
}


@pytest.mark.parametrize(("changes", "words"), UNTOLD.values(), ids=UNTOLD)
def test_what_has_no_room_in_the_contract_is_told_so(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        found(**changes)
    assert words in str(refused.value)
