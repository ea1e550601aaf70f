"""What may be searched, and suggested values in the configuration."""

from typing import Any

import pytest

from tests.unit.trainer.starting import a_config
from trainingrun.api import DoubleRange, OptimizerName, Scale, Tuning
from trainingrun.contract import AttemptConfig
from trainingrun_trainer.errors import TrainerError
from trainingrun_trainer.tuning.parameters import check_search, start_of_search, with_parameters
from trainingrun_trainer.tuning.space import corners, decimal_text, grid, trials


def a_search(*parameters: dict[str, Any], model: dict[str, Any] | None = None, **spec: Any) -> AttemptConfig:
    return a_config(model=model or {"builtin": {"type": "MLP"}}, tuning={"parameters": parameters}, **spec)


def categorical(name: str, *values: str) -> dict[str, Any]:
    return {"name": name, "categorical": list(values)}


def double(name: str, minimum: str, maximum: str, scale: str = "Linear") -> dict[str, Any]:
    return {"name": name, "double": {"minimum": minimum, "maximum": maximum, "scale": scale}}


def integers(name: str, minimum: int, maximum: int, step: int = 1) -> dict[str, Any]:
    return {"name": name, "int": {"minimum": minimum, "maximum": maximum, "step": step}}


@pytest.mark.parametrize(
    ("value", "bounds", "text"),
    [
        (0.00123456, (1e-5, 0.1, "Log"), "0.001235"),
        (0.0000123456, (1e-5, 0.1, "Log"), "1.235e-05"),
        (0.00001, (1e-5, 0.1, "Log"), "0.00001"),
        (0.123456, (0, 0.5, "Linear"), "0.12346"),
        (0.4999999, (0, 0.5, "Linear"), "0.5"),
        (0.1234558, (0, 0.123456, "Linear"), "0.123456"),
        (0.1000048, (0.1000047, 1, "Log"), "0.1000047"),
        (17.123456, (0, 180, "Linear"), "17.12"),
        (123456.7, (1, 1e6, "Log"), "1.235e05"),
    ],
)
def test_decimals_are_written_as_spec_has_them(value: float, bounds: tuple[float, float, str], text: str) -> None:
    assert decimal_text(value, DoubleRange(minimum=bounds[0], maximum=bounds[1], scale=Scale(bounds[2]))) == text


def test_values_land_at_their_paths() -> None:
    config = with_parameters(
        a_config(model={"builtin": {"type": "CNN"}, "parameters": [{"name": "dropout", "value": "0.1"}]}),
        {
            "training.optimizer.learningRate": "0.00123",
            "training.batchSize": "32",
            "training.optimizer.name": "SGD",
            "training.regularization.l2": "1e-4",
            "augmentation.rotationDegrees": "12.5",
            "augmentation.horizontalFlip": "true",
            "model.parameters.dropout": "0.3",
            "model.parameters.hiddenUnits": "256,128",
        },
    )
    assert (config.training.batch_size, config.training.optimizer.learning_rate) == (32, 0.00123)
    assert (config.training.optimizer.name, config.training.regularization.l2) == (OptimizerName.SGD, 0.0001)
    assert config.augmentation is not None
    assert (config.augmentation.rotation_degrees, config.augmentation.horizontal_flip) == (12.5, True)
    assert {each.name: each.value for each in config.model.parameters} == {"dropout": "0.3", "hiddenUnits": "256,128"}


def test_the_rest_of_the_configuration_stays() -> None:
    before = a_search(categorical("training.batchSize", "32"), training={"epochs": 9, "seed": 3})
    after = with_parameters(before, {"training.batchSize": "32"})
    assert after == before.model_copy(update={"training": before.training.model_copy(update={"batch_size": 32})})


GOOD: dict[str, dict[str, Any]] = {
    "learning rate": double("training.optimizer.learningRate", "1e-5", "1e-1", "Log"),
    "batch": integers("training.batchSize", 16, 256),
    "optimizer": categorical("training.optimizer.name", "Adam", "SGD"),
    "schedule": categorical("training.schedule.type", "Constant", "Cosine"),
    "l2": double("training.regularization.l2", "0", "0.01"),
    "rotation": double("augmentation.rotationDegrees", "0", "180"),
    "flip": categorical("augmentation.horizontalFlip", "true", "false"),
    "units": categorical("model.parameters.hiddenUnits", "128", "256,128"),
}


@pytest.mark.parametrize("parameter", GOOD.values(), ids=GOOD)
def test_what_spec_may_have_may_be_searched(parameter: dict[str, Any]) -> None:
    check_search(a_search(parameter))


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no such field": (
        categorical("training.optimizer.learnRate", "0.1"),
        "training.optimizer.learnRate cannot have the value '0.1': spec has no field learnRate there; there are name, "
        "learningRate",
    ),
    "an object": (categorical("training.schedule.type.x", "1"), "spec has no field x there"),
    "below no object": (categorical("training.optimizer.", "1"), "spec has no field  there"),
    "no such part of spec": (categorical("workers.replicas", "1"), "workers.replicas cannot be searched. Name a path below"),
    "epochs": (integers("training.epochs", 1, 9), "training.epochs cannot be searched"),
    "useless": (categorical("training.schedule.scaling", "None"), "on one rank, where nothing is scaled"),
    "not in the enumeration": (
        categorical("training.optimizer.name", "Adam", "Lion"),
        "training.optimizer.name cannot have the value 'Lion': ",
    ),
    "batch of decimals": (double("training.batchSize", "1.5", "2"), "training.batchSize cannot have the value '1.5': "),
    "batch of nothing": (integers("training.batchSize", 0, 9), "training.batchSize cannot have the value '0': "),
    "rate of zero": (double("training.optimizer.learningRate", "0", "1"), "value '0': it must be a decimal number more than 0"),
    "rate of words": (
        categorical("training.optimizer.learningRate", "Auto"),
        "'Auto': it must be a decimal number more than 0",
    ),
    "whole shift": (double("augmentation.widthShift", "0", "1"), "value '1': it must be a decimal number below 1"),
    "too many degrees": (integers("augmentation.rotationDegrees", 0, 181), "it must be a decimal number at most 180 degrees"),
    "unread momentum": (
        double("training.optimizer.momentum", "0", "0.9"),
        "only read with training.optimizer.name SGD or RMSprop",
    ),
    "steps without length": (categorical("training.schedule.type", "Step"), "needs training.schedule.stepEpochs"),
    "parameter of no network": (
        categorical("model.parameters.depth", "3"),
        "model.parameters.depth '3': spec.model.parameters: depth is no",
    ),
    "parameter of another network": (categorical("model.parameters.filters", "8"), "is for model.builtin.type CNN"),
    "bad activation": (categorical("model.parameters.activation", "ReLU", "Tanh"), "activation 'Tanh' is not one of"),
    "dropout of all": (double("model.parameters.dropout", "0", "1"), "dropout 1.0 must be from 0 to below 1"),
    "units of words": (categorical("model.parameters.hiddenUnits", "many"), "model.parameters.hiddenUnits 'many'"),
}


@pytest.mark.parametrize(("parameter", "sentence"), BAD.values(), ids=BAD)
def test_what_cannot_be_searched_is_named(parameter: dict[str, Any], sentence: str) -> None:
    with pytest.raises(TrainerError) as refused:
        check_search(a_search(parameter))
    assert sentence in str(refused.value)
    assert str(refused.value).startswith("spec.tuning.parameters ")
    assert refused.value.cause == "BadConfig"


def test_momentum_may_be_searched_beside_an_optimizer_that_reads_it() -> None:
    momentum = double("training.optimizer.momentum", "0", "0.99")
    check_search(a_search(momentum, categorical("training.optimizer.name", "Adam", "SGD")))


def test_what_a_function_of_the_user_takes_only_it_knows() -> None:
    check_search(a_search(categorical("model.parameters.depth", "3"), model={"entrypoint": {"function": "models:build"}}))


def a_grid(*parameters: dict[str, Any], trials: int = 20) -> Tuning:
    return Tuning.model_validate({"algorithm": "Grid", "trials": trials, "parameters": parameters})


def test_a_grid_has_all_combinations() -> None:
    tuning = a_grid(integers("training.batchSize", 1, 6, 2), categorical("training.optimizer.name", "Adam", "SGD"))
    assert [tuple(point.values()) for point in grid(tuning)] == [(b, n) for b in ("1", "3", "5") for n in ("Adam", "SGD")]
    assert trials(tuning) == 6


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        (
            [integers("training.batchSize", 1, 7), categorical("a", "1", "2", "3")],
            "Grid has 7 x 3 = 21 points, more than spec.tuning.trials 20",
        ),
        ([integers("training.batchSize", 0, 1000000), integers("b", 0, 1000000)], "points, more than"),
        (
            [double("training.optimizer.learningRate", "0.1", "1")],
            "training.optimizer.learningRate: the decimals of double have no end",
        ),
    ],
)
def test_a_grid_that_cannot_be_tried_is_refused(parameters: list[dict[str, Any]], sentence: str) -> None:
    with pytest.raises(TrainerError) as refused:
        grid(a_grid(*parameters))
    assert sentence in str(refused.value)


def test_the_corners_of_a_range_are_values_of_it() -> None:
    (parameter,) = a_grid(integers("training.batchSize", 1, 6, 2)).parameters
    assert corners(parameter) == ("1", "5")


def test_what_is_searched_is_not_measured_before() -> None:
    auto = {"batchSize": "Auto", "optimizer": {"learningRate": "Auto"}}
    config = start_of_search(a_search(integers("training.batchSize", 16, 64), training=auto))
    assert (config.training.batch_size, config.training.optimizer.learning_rate) == (16, "Auto")
    plain = a_search(integers("training.batchSize", 16, 64))
    assert start_of_search(plain) == plain
