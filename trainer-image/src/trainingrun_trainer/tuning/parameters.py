"""Suggested values in the configuration of an attempt, and what may be searched. Pure."""

from collections.abc import Callable, Mapping
from typing import Any, NoReturn, get_args

from pydantic import BaseModel, ValidationError

from trainingrun.api import AUTO, Algorithm, ModelType, OptimizerName, ScheduleType, Tuning, number
from trainingrun.api.base import to_wire
from trainingrun.contract import AttemptConfig
from trainingrun_trainer.errors import TrainerError, bad_config
from trainingrun_trainer.models.parameters import application_parameters, builtin_parameters
from trainingrun_trainer.tuning.space import corners, grid

MODEL_PARAMETERS = "model.parameters."
SEARCHABLE = ("training.batchSize", "training.optimizer.", "training.schedule.", "training.regularization.", "augmentation.")
"""Paths, or what they begin with."""
USELESS = {
    "training.schedule.scaling": "a trial runs on one rank, where nothing is scaled",
    "training.schedule.warmupEpochs": "a trial runs on one rank, where the learning rate has nothing to rise to",
}
_READERS = {
    "training.optimizer.momentum": (OptimizerName.SGD, OptimizerName.RMSPROP),
    "training.optimizer.weightDecay": (OptimizerName.ADAMW,),
}
Bound = tuple[Callable[[float], bool], str]
"""A condition, and what it says."""

_ABOVE_0: Bound = (lambda value: value > 0, "more than 0")
_BELOW_1: Bound = (lambda value: value < 1, "below 1")
_BOUNDS: dict[str, tuple[Bound, ...]] = {
    "training.optimizer.learningRate": (_ABOVE_0,),
    "training.optimizer.momentum": (_BELOW_1,),
    "training.schedule.stepFactor": (_ABOVE_0, _BELOW_1),
    "augmentation.rotationDegrees": ((lambda value: value <= 180, "at most 180 degrees"),),
    "augmentation.shearDegrees": ((lambda value: value < 90, "below 90 degrees"),),
    "augmentation.widthShift": (_BELOW_1,),
    "augmentation.heightShift": (_BELOW_1,),
    "augmentation.zoom": (_BELOW_1,),
    "augmentation.crop": (_BELOW_1,),
}
"""The API server checks the same of spec, with rules that only it reads, but does not see what is searched."""


def check_search(config: AttemptConfig) -> None:
    """See that every value of the search could be written in spec, before time is spent on trials.

    Raises TrainerError (bad config) naming the parameter and the value.
    """
    tuning = config.tuning
    if tuning is None:
        return
    if tuning.algorithm is Algorithm.GRID:
        grid(tuning)
    for parameter in tuning.parameters:
        _check_path(parameter.name)
        for value in corners(parameter):
            _check_value(parameter.name, value)
            with_parameters(config, {parameter.name: value})
    _check_that_they_are_read(config, tuning)


def with_parameters(config: AttemptConfig, values: Mapping[str, str]) -> AttemptConfig:
    """The configuration with these values at their paths.

    Raises TrainerError (bad config) naming path and value when there is no such field or it cannot have the value.
    """
    wire = to_wire(config)
    for path, value in values.items():
        if path.startswith(MODEL_PARAMETERS):
            _set_model_parameter(wire, path.removeprefix(MODEL_PARAMETERS), value)
        else:
            _set(wire, path, value)
    try:
        changed = AttemptConfig.model_validate(wire)
        _check_model(changed, values)
    except ValidationError as invalid:
        problem = invalid.errors()[0]
        place = ".".join(str(part) for part in problem["loc"] if isinstance(part, str) and part not in ("int", "str"))
        name = next((path for path in values if place.startswith(path)), ", ".join(values))
        _refuse(name, values.get(name, problem["input"]), problem["msg"].removesuffix("."))
    return changed


def start_of_search(config: AttemptConfig) -> AttemptConfig:
    """The configuration with a number in place of each `Auto` that is searched: what the search finds need not be measured."""
    if config.tuning is None:
        return config
    wishes = {
        "training.batchSize": config.training.batch_size,
        "training.optimizer.learningRate": config.training.optimizer.learning_rate,
    }
    searched = {parameter.name: corners(parameter)[0] for parameter in config.tuning.parameters}
    return with_parameters(config, {name: searched[name] for name, wish in wishes.items() if wish == AUTO and name in searched})


def _set_model_parameter(wire: dict[str, Any], name: str, value: str) -> None:
    others = [each for each in wire["model"].get("parameters", ()) if each["name"] != name]
    wire["model"]["parameters"] = [*others, {"name": name, "value": value}]


def _set(wire: dict[str, Any], path: str, value: str) -> None:
    """Write a value into nested objects; those that are not there are made."""
    *folders, last = path.split(".")
    _check_field(path, value)
    place = wire
    for folder in folders:
        place = place.setdefault(folder, {})
    place[last] = value


def _check_field(path: str, value: str) -> None:
    """Raise when spec has no such field, or when it is an object with fields of its own."""
    model: type[BaseModel] | None = AttemptConfig
    for part in path.split("."):
        fields = {field.alias or name: field for name, field in model.model_fields.items()} if model is not None else {}
        if part not in fields:
            known = f"; there are {', '.join(fields)}" if fields else ""
            _refuse(path, value, f"spec has no field {part} there{known}")
        model = _nested(fields[part].annotation)
    if model is not None:
        _refuse(path, value, "it is an object: name one of its fields")


def _nested(annotation: Any) -> type[BaseModel] | None:
    """The model that a field holds, if it holds one."""
    candidates = [annotation, *get_args(annotation)]
    return next((each for each in candidates if isinstance(each, type) and issubclass(each, BaseModel)), None)


def _check_path(path: str) -> None:
    if path in USELESS:
        raise bad_config(f"spec.tuning.parameters {path} cannot be searched: {USELESS[path]}. Remove it.")
    if not path.startswith((*SEARCHABLE, MODEL_PARAMETERS)):
        raise bad_config(
            f"spec.tuning.parameters {path} cannot be searched. Name a path below training.optimizer, training.schedule, "
            "training.regularization or augmentation, or training.batchSize, or model.parameters.<name>."
        )


def _check_value(path: str, text: str) -> None:
    for is_met, bound in _BOUNDS.get(path, ()):
        try:
            is_good = is_met(number(text))
        except ValueError:
            is_good = False
        if not is_good:
            _refuse(path, text, f"it must be a decimal number {bound}")


def _check_model(config: AttemptConfig, values: Mapping[str, str]) -> None:
    """Raise for parameters that the network does not have. What a user's function takes, only it knows."""
    names = [path for path in values if path.startswith(MODEL_PARAMETERS)]
    if not names:
        return
    if config.model.builtin is not None and config.model.builtin.type is ModelType.MLP:
        for name in ("filters", "kernelSize"):
            if f"{MODEL_PARAMETERS}{name}" in names:
                raise bad_config(f"spec.tuning.parameters {MODEL_PARAMETERS}{name} is for model.builtin.type CNN: remove it.")
    try:
        if config.model.builtin is not None:
            builtin_parameters(config.model)
        if config.model.application is not None:
            application_parameters(config.model)
    except TrainerError as wrong:
        shown = ", ".join(f"{name} {values[name]!r}" for name in names)
        raise bad_config(f"spec.tuning.parameters {shown}: {wrong}") from wrong


def _check_that_they_are_read(config: AttemptConfig, tuning: Tuning) -> None:
    """Raise for what no trial would read, or what a trial needs and has not."""
    searched = {parameter.name: corners(parameter) for parameter in tuning.parameters}
    optimizers = searched.get("training.optimizer.name", (config.training.optimizer.name,))
    for path, readers in _READERS.items():
        if path in searched and not set(readers) & set(optimizers):
            raise bad_config(
                f"spec.tuning.parameters {path} is only read with training.optimizer.name {' or '.join(readers)}, and it is "
                f"{', '.join(optimizers)}: remove the parameter or change the name."
            )
    schedules = searched.get("training.schedule.type", (config.training.schedule.type,))
    has_steps = config.training.schedule.step_epochs is not None or "training.schedule.stepEpochs" in searched
    if ScheduleType.STEP in schedules and not has_steps:
        raise bad_config(
            "spec.tuning.parameters training.schedule.type 'Step' needs training.schedule.stepEpochs: set it in spec, or "
            "search it too."
        )


def _refuse(path: str, value: object, why: str) -> NoReturn:
    raise bad_config(f"spec.tuning.parameters {path} cannot have the value {value!r}: {why}. Correct spec.tuning.parameters.")
