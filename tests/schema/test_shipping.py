"""Tuning, compression and acceptance on a real API server: what is accepted, and the words of every refusal."""

import json
from typing import Any

import pytest

from tests.manifests import a_manifest
from tests.schema.applying import dry_run, refusal
from tools.kubectl import Kubectl
from trainingrun.api import TrainingRunSpec, TrainingRunStatus
from trainingrun.api.base import to_wire

RATE = "training.optimizer.learningRate"
MOMENTUM = "training.optimizer.momentum"
OPTIMIZER = "training.optimizer.name"
SCHEDULE = "training.schedule.type"
STEP = "training.schedule.stepEpochs"
BATCH = "training.batchSize"


def a_double(name: str, minimum: float, maximum: float, **more: Any) -> dict[str, Any]:
    """A searched range of decimals."""
    return {"name": name, "double": {"minimum": minimum, "maximum": maximum, **more}}


def an_int(name: str, minimum: int, maximum: int, **more: Any) -> dict[str, Any]:
    """A searched range of whole numbers."""
    return {"name": name, "int": {"minimum": minimum, "maximum": maximum, **more}}


def a_list(name: str, *values: Any) -> dict[str, Any]:
    """A searched list of values."""
    return {"name": name, "categorical": list(values)}


def a_search(*parameters: dict[str, Any], **tuning: Any) -> dict[str, Any]:
    """A run that searches these parameters."""
    return {"spec__tuning": {"parameters": list(parameters), **tuning}}


def a_grid(*parameters: dict[str, Any], trials: int) -> dict[str, Any]:
    """A run that tries all combinations."""
    return a_search(*parameters, algorithm="Grid", trials=trials)


def a_cnn() -> dict[str, Any]:
    """The model of a CNN."""
    return {"spec__model": {"builtin": {"type": "CNN"}}}


def an_application(name: str) -> dict[str, Any]:
    """The model of an application."""
    return {"spec__model": {"application": {"name": name}}}


def acceptance(**bounds: Any) -> dict[str, Any]:
    """A run with these conditions on its model."""
    return {"spec__acceptance": bounds}


def quantization(**fields: Any) -> dict[str, Any]:
    """A run that quantizes its model."""
    return {"spec__compression": {"quantization": fields}}


def pruning(**fields: Any) -> dict[str, Any]:
    """A run that prunes its model."""
    return {"spec__compression": {"pruning": fields}}


EVERY_DECIMAL = [
    a_double("training.optimizer.weightDecay", 0, 0.01),
    a_double("training.regularization.l2", 0, 0.001),
    a_double("augmentation.rotationDegrees", 0, 180),
    a_double("augmentation.widthShift", 0, 0.99),
    a_double("augmentation.heightShift", 0, 0.2),
    a_double("augmentation.shearDegrees", 0, 89.9),
    a_double("augmentation.zoom", 0, 0.2),
    a_double("augmentation.crop", 0, 0.2),
]

LONGEST = [f"0.{number:061}" for number in range(1, 33)]
LARGEST = [
    *(a_list(each["name"], *LONGEST) for each in EVERY_DECIMAL),
    *(a_list(name, *LONGEST) for name in (RATE, MOMENTUM, "training.schedule.stepFactor")),
    a_list(OPTIMIZER, "AdamW", "SGD"),
    a_list(SCHEDULE, "Constant", "Step"),
    a_list(STEP, *map(str, range(1, 33))),
    a_list(BATCH, *map(str, range(1, 33))),
    a_list(f"model.parameters.{'p' * 46}", *LONGEST),
]
"""As many parameters as there may be, with as many and as long values: what it costs to check them has a limit."""

ACCEPTED: dict[str, dict[str, Any]] = {
    "the search of the design": {
        "spec__tuning": {
            "objective": {"metric": "val_accuracy", "goal": "Maximize"},
            "algorithm": "TPE",
            "scheduler": "ASHA",
            "trials": 20,
            "epochsPerTrial": 5,
            "parameters": [
                a_double(RATE, 0.0001, 0.1, scale="Log"),
                a_list(BATCH, 32, 64, 128),
                a_double("augmentation.rotationDegrees", 0, 20),
            ],
        }
    },
    "every decimal": {**a_search(*EVERY_DECIMAL), "spec__training__optimizer": {"name": "AdamW"}},
    "every word": a_search(
        a_list(OPTIMIZER, "Adam", "AdamW", "SGD", "RMSprop"),
        a_list(SCHEDULE, "Constant", "Cosine", "Step"),
        an_int(STEP, 1, 3),
        a_double("training.schedule.stepFactor", 0.1, 0.9),
        a_list("augmentation.horizontalFlip", True, False),
        a_list("augmentation.fillMode", "Nearest", "Constant", "Reflect", "Wrap"),
    ),
    "the largest": {**a_search(*LARGEST), "spec__model": {"entrypoint": {"function": "my_models:build"}}},
    "what one of the searched optimizers reads": a_search(a_list(OPTIMIZER, "Adam", "SGD"), a_double(MOMENTUM, 0, 0.99)),
    "steps of a schedule that is given": {
        **a_search(an_int(STEP, 1, 5)),
        "spec__training__schedule": {"type": "Step", "stepEpochs": 2},
    },
    "decimals in whole steps and in a list": a_search(
        an_int("augmentation.rotationDegrees", 0, 20, step=5), a_list("augmentation.zoom", 0, 0.1)
    ),
    "whole numbers on a logarithmic scale": a_search(an_int(BATCH, 1, 65536, scale="Log")),
    "parameters of an MLP": a_search(
        a_list("model.parameters.hiddenUnits", [128], [256, 128]), a_double("model.parameters.dropout", 0, 0.5)
    ),
    "parameters of a CNN": {
        **a_search(
            a_list("model.parameters.filters", [8, 16], [16, 32, 64]), an_int("model.parameters.kernelSize", 3, 5, step=2)
        ),
        **a_cnn(),
    },
    "parameters of an application": {
        **a_search(a_list("model.parameters.alpha", 0.35, 1), a_list("model.parameters.pooling", "Average", "Max")),
        **an_application("MobileNetV2"),
    },
    "parameters of MobileNetV3": {
        **a_search(a_list("model.parameters.minimalistic", True, False)),
        **an_application("MobileNetV3Small"),
    },
    "any parameter of a user's function": {
        **a_search(a_list("model.parameters.depth", [1, 2], "deep", 3, 0.5, True)),
        "spec__model": {"entrypoint": {"function": "my_models:build"}},
    },
    "what is Auto in spec": {
        **a_search(a_double(RATE, 0.0001, 0.1)),
        "spec__training": {"epochs": 2, "batchSize": "Auto", "optimizer": {"learningRate": "Auto"}},
    },
    "a metric without its goal": a_search(a_list(BATCH, 32), objective={"metric": "val_loss"}),
    "a grid as large as the trials": a_grid(
        an_int("augmentation.rotationDegrees", 0, 20, step=10), a_list(BATCH, 8, 9), trials=6
    ),
    "both compressions": {
        "spec__compression": {
            "pruning": {
                "finalSparsities": [0.8, 0.9],
                "initialSparsity": 0.5,
                "allocation": "Uniform",
                "epochs": 3,
                "frequency": 100,
                "learningRate": 0.0001,
                "skipLayers": ["First", "Last", "dense_1"],
            },
            "quantization": {"mode": "Int8Aware", "calibrationSamples": 100, "epochs": 1},
        }
    },
    "pruning as it comes": pruning(),
    "quantization as it comes": quantization(),
    "samples for Int8": quantization(calibrationSamples=100),
    **{f"{mode} as it comes": quantization(mode=mode) for mode in ("Float16", "DynamicRange", "Int8", "Int8Aware")},
    "all conditions": {
        **acceptance(minimum=0.95, maximumDegradation=0.01, maximumGzippedBytes=25000),
        **quantization(),
    },
    "a loss and how much worse it may become": {
        **acceptance(metric="loss", maximum=1.5, maximumDegradation=1.5),
        **quantization(),
    },
    "a size alone": acceptance(maximumGzippedBytes=25000),
    "a search and samples that it does not see": {
        **acceptance(minimum=0.9),
        **a_search(a_list(BATCH, 32, 64)),
        "spec__data__testFraction": 0.1,
    },
}

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a path that does not exist": (
        a_search(a_list("training.dropout", 0)),
        "tuning.parameters training.dropout cannot be searched: name training.batchSize, training.schedule.stepEpochs, ",
    ),
    "a path that no trial reads": (
        a_search(an_int("training.schedule.warmupEpochs", 1, 2)),
        "tuning.parameters training.schedule.warmupEpochs cannot be searched",
    ),
    "a model parameter without a name": (a_search(a_list("model.parameters.", 0)), "model.parameters. cannot be searched"),
    "no trials": (a_search(a_list(BATCH, 32), trials=0), "spec.tuning.trials"),
    "no parameters": (a_search(), "spec.tuning.parameters"),
    "a parameter twice": (a_search(a_list(BATCH, 32), a_list(BATCH, 64)), "Duplicate value"),
    "two kinds of values": (
        a_search({**a_list(BATCH, 32), "int": {"minimum": 1, "maximum": 2}}),
        "must validate one and only one schema (oneOf). Found 2 valid alternatives",
    ),
    "no values": (a_search({"name": BATCH}), "spec.tuning.parameters[0].double: Required value"),
    "a range of nothing": (
        a_search(a_double(RATE, 0.1, 0.1)),
        "tuning.parameters double.minimum 0.1 must be below maximum 0.1",
    ),
    "a whole range of nothing": (a_search(an_int(BATCH, 64, 32)), "int.minimum 64 must be below maximum 32"),
    "a logarithm of zero": (
        a_search(a_double("training.regularization.l2", 0, 1, scale="Log")),
        "double.minimum 0 must be more than 0 with scale Log",
    ),
    "a logarithm in steps": (
        a_search(an_int(BATCH, 1, 64, scale="Log", step=2)),
        "int with scale Log needs a minimum of at least 1, and no step",
    ),
    "batches of half samples": (
        a_search(a_double(BATCH, 1, 2)),
        "tuning.parameters training.batchSize needs whole numbers: int, or categorical such as",
    ),
    "an empty batch": (a_search(an_int(BATCH, 0, 64)), "training.batchSize has a value that is not from 1 to 65536"),
    "steps of no epoch": (
        {**a_search(an_int(STEP, 0, 3)), "spec__training__schedule": {"type": "Step", "stepEpochs": 1}},
        "training.schedule.stepEpochs has a value that is not from 1 to 100000",
    ),
    "a learning rate of zero": (
        a_search(a_double(RATE, 0, 0.1)),
        "training.optimizer.learningRate has a value that is not more than 0",
    ),
    "momentum of one": (
        {**a_search(a_double(MOMENTUM, 0, 1)), "spec__training__optimizer": {"name": "SGD"}},
        "training.optimizer.momentum has a value that is not below 1",
    ),
    "a shift by the whole image": (
        a_search(an_int("augmentation.widthShift", 0, 1)),
        "augmentation.widthShift has a value that is not below 1",
    ),
    "too much rotation": (
        a_search(an_int("augmentation.rotationDegrees", 0, 181)),
        "augmentation.rotationDegrees has a value that is not at most 180 degrees",
    ),
    "a range of schedules": (
        a_search(an_int(SCHEDULE, 1, 2)),
        "tuning.parameters training.schedule.type has words, no range of numbers: list them as categorical",
    ),
    "a parameter that no built-in network has": (
        a_search(a_list("model.parameters.depth", 1)),
        "tuning.parameters of a built-in network may be named model.parameters.activation, dropout, hiddenUnits",
    ),
    "a parameter that an MLP has not": (
        a_search(a_list("model.parameters.filters", 8)),
        "tuning.parameters model.parameters.filters and kernelSize are for model.builtin.type CNN",
    ),
    "a parameter that no application has": (
        {**a_search(a_list("model.parameters.filters", 8)), **an_application("MobileNetV2")},
        "tuning.parameters of an application may be named model.parameters.alpha",
    ),
    "alpha of a network without": (
        {**a_search(a_list("model.parameters.alpha", 1)), **an_application("DenseNet121")},
        "tuning.parameters model.parameters.alpha is for the MobileNets",
    ),
    "minimalistic elsewhere": (
        {**a_search(a_list("model.parameters.minimalistic", True)), **an_application("MobileNetV2")},
        "tuning.parameters model.parameters.minimalistic is for MobileNetV3",
    ),
    "a goal that does not fit": (
        a_search(a_list(BATCH, 32), objective={"metric": "val_loss", "goal": "Maximize"}),
        "tuning.objective.goal Maximize does not fit metric val_loss: accuracy is maximized, loss is minimized",
    ),
    "a grid of decimals": (
        a_grid(a_double(RATE, 0.1, 0.2), trials=9),
        "tuning.parameters double has no end of values, so tuning.algorithm Grid cannot try all",
    ),
    "no compression": ({"spec__compression": {}}, "compression needs pruning, quantization or both"),
    "nothing pruned": (
        pruning(finalSparsities=[0]),
        "spec.compression.pruning.finalSparsities[0] in body should be greater than 0",
    ),
    "all pruned": (
        pruning(finalSparsities=[0.5, 1]),
        "spec.compression.pruning.finalSparsities[1] in body should be less than 1",
    ),
    "one sparsity twice": (
        pruning(finalSparsities=[0.8, 0.80]),
        "Duplicate value",
    ),
    "a start beyond the end": (
        pruning(initialSparsity=0.8),
        "compression.pruning.initialSparsity 0.8 must be below every value of finalSparsities",
    ),
    "an unknown allocation": (pruning(allocation="Global"), 'supported values: "Adaptive", "Uniform"'),
    "fine-tuning that learns nothing": (
        pruning(learningRate=0),
        "spec.compression.pruning.learningRate in body should be greater than 0",
    ),
    "samples that nobody looks at": (
        quantization(mode="DynamicRange", calibrationSamples=10),
        "compression.quantization.calibrationSamples is only read with mode Int8 and Int8Aware, but mode is DynamicRange",
    ),
    "epochs that nobody trains": (
        quantization(epochs=1),
        "compression.quantization.epochs is only read with mode Int8Aware, but mode is Int8",
    ),
    "no condition": (acceptance(), "acceptance needs at least one of"),
    "a minimum for a loss": (
        acceptance(metric="loss", minimum=0.1),
        "acceptance.minimum 0.1 is for metric accuracy, but acceptance.metric is loss",
    ),
    "a maximum for an accuracy": (
        acceptance(maximum=0.1),
        "acceptance.maximum 0.1 is for metric loss, but acceptance.metric is accuracy",
    ),
    "an accuracy in percent": (acceptance(minimum=95), "spec.acceptance.minimum in body should be less than or equal to 1"),
    "a degradation in percent": (
        {**acceptance(maximumDegradation=1), **quantization()},
        "acceptance.maximumDegradation 1 must be below 1 with metric accuracy",
    ),
    "a degradation by nothing": (
        acceptance(maximumDegradation=0.01),
        "acceptance.maximumDegradation compares the compressed model with the trained one, but there is no spec.compression",
    ),
    "a verdict on what the search has chosen by": (
        {**acceptance(minimum=0.9), **a_search(a_list(BATCH, 32, 64))},
        "acceptance with tuning needs samples that the search has not seen, but data.testFraction is 0",
    ),
    "a file of no bytes": (acceptance(maximumGzippedBytes=0), "spec.acceptance.maximumGzippedBytes"),
}


@pytest.mark.parametrize("changes", ACCEPTED.values(), ids=ACCEPTED)
def test_it_accepts(kubectl: Kubectl, changes: dict[str, Any]) -> None:
    dry_run(kubectl, a_manifest(**changes))


@pytest.mark.parametrize(("changes", "words"), REFUSED.values(), ids=REFUSED)
def test_it_refuses_and_says_why(kubectl: Kubectl, changes: dict[str, Any], words: str) -> None:
    assert words in refusal(kubectl, a_manifest(**changes))


def test_what_is_left_out_has_its_default_where_the_schema_can_give_one(kubectl: Kubectl) -> None:
    spec = dry_run(kubectl, a_manifest(**a_search(a_list(BATCH, 32)), spec__compression={"pruning": {}}))["spec"]
    expected = {
        "algorithm": "TPE",
        "scheduler": "ASHA",
        "trials": 20,
        "epochsPerTrial": 5,
        "objective": {"metric": "val_accuracy"},
    }
    assert spec["tuning"] == {**expected, "parameters": [a_list(BATCH, 32)]}
    assert spec["compression"]["pruning"]["finalSparsities"] == [0.8]
    assert spec["compression"]["pruning"]["allocation"] == "Adaptive"


TRIED = [{"name": RATE, "value": "0.00123"}, {"name": "model.parameters.hiddenUnits", "value": "256,128,64,32,16,8,4,2,1"}]
STATUS: dict[str, Any] = {
    "observedGeneration": 1,
    "stage": "Quantizing",
    "conditions": [
        {
            "type": "ModelAccepted",
            "status": "False",
            "reason": "NotAccepted",
            "message": "0.93 is below 0.95",
            "lastTransitionTime": "2026-11-24T12:00:00Z",
            "observedGeneration": 1,
        }
    ],
    "tuning": {
        "trials": 20,
        "completed": 12,
        "pruned": 7,
        "failed": 1,
        "best": {"number": 3, "value": "0.9731", "parameters": TRIED},
        "attempt": 2,
        "recordedAt": "2026-11-24T12:00:00Z",
    },
    "ledger": {"account": "Compressing", "since": "2026-11-24T12:00:00Z", "tuningSeconds": 60, "compressingSeconds": 5},
    "result": {
        "metrics": [{"name": "test_accuracy", "value": "0.9300"}],
        "artifacts": [
            {
                "name": "int8-0.9",
                "uri": "pvc://models/int8-0.9.tflite",
                "sha256": "a" * 64,
                "sizeBytes": 96000,
                "gzippedBytes": 21000,
                "sparsity": "0.9001",
                "metrics": [{"name": "accuracy", "value": "0.9300"}],
                "accepted": False,
            }
        ],
        "epochs": 10,
        "seconds": 60,
    },
}


def test_all_that_is_said_of_a_search_and_a_verdict_is_stored(kubectl: Kubectl) -> None:
    kubectl.apply(a_manifest("judged"))
    written = to_wire(TrainingRunStatus.model_validate(STATUS))
    kubectl.run(
        *("patch", "trainingrun", "judged", "--subresource=status", "--type=merge"), "--patch", json.dumps({"status": written})
    )
    stored = kubectl.get("trainingrun", "judged")
    assert stored is not None
    assert stored["status"] == written
    assert written["tuning"] == STATUS["tuning"]


def test_the_models_read_what_the_api_server_accepts() -> None:
    for changes in ACCEPTED.values():
        TrainingRunSpec.model_validate(a_manifest(**changes)["spec"])
