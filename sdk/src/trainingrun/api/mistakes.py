"""What the API server cannot see in a spec: CEL has no eyes for values that may be of any kind. Pure.

These are listed values of a search, and parameters whose names no network knows. The operator asks before an attempt.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Annotated, Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from trainingrun.api.base import AUTO
from trainingrun.api.model import APPLICATION_PARAMETERS, BUILTIN_PARAMETERS, Model
from trainingrun.api.search import SEARCHABLE, SEARCHABLE_DECIMALS, SEARCHABLE_WHOLE_NUMBERS, SearchParameter
from trainingrun.api.spec import TrainingRunSpec
from trainingrun.api.tuning import Algorithm, Tuning
from trainingrun.contract_version import models_in

_READERS = {
    "training.optimizer.momentum": ("training.optimizer.name", ("SGD", "RMSprop")),
    "training.optimizer.weightDecay": ("training.optimizer.name", ("AdamW",)),
    "training.schedule.stepEpochs": ("training.schedule.type", ("Step",)),
    "training.schedule.stepFactor": ("training.schedule.type", ("Step",)),
}
"""What is only read beside some words at another path."""

_KIND = {
    **dict.fromkeys(SEARCHABLE_WHOLE_NUMBERS, "a whole number"),
    **dict.fromkeys(SEARCHABLE_DECIMALS, "a number"),
    "augmentation.horizontalFlip": "true or false",
}
"""What stands at a path, in words."""


def mistakes(spec: TrainingRunSpec) -> Iterator[str]:
    """Each is a sentence: what, where, the value and the way out."""
    yield from _unknown_parameters(spec.model)
    if spec.tuning is not None:
        for parameter in spec.tuning.parameters:
            yield from _values(parameter)
        yield from _unread(spec, spec.tuning)
        yield from _too_large(spec.tuning)


def _unknown_parameters(model: Model) -> Iterator[str]:
    """A user's function may have any; the API server has judged those whose names it knows."""
    if model.entrypoint is not None:
        return
    kind, known = ("builtin", BUILTIN_PARAMETERS) if model.builtin is not None else ("application", APPLICATION_PARAMETERS)
    unknown = [parameter.name for parameter in model.parameters if parameter.name not in known]
    if unknown:
        yield (
            f"spec.model.parameters has {_listed(unknown)}, and those of model.{kind} are {_listed(known)}: correct or remove "
            f"{'it' if len(unknown) == 1 else 'them'}."
        )


def _values(parameter: SearchParameter) -> Iterator[str]:
    """Listed values that could not stand in spec at the path they are for."""
    values = parameter.categorical or ()
    if len(set(values)) < len(values):
        yield f"spec.tuning.parameters {parameter.name} lists a value twice: remove one."
    for value in values if parameter.name in SEARCHABLE else ():
        wrong = _wrong(parameter.name, value)
        if wrong:
            yield f"spec.tuning.parameters {parameter.name} lists {value}, which cannot stand there: {wrong}."
            return


def _wrong(path: str, text: str) -> str:
    """Why a text cannot stand at a path in spec; nothing if it can."""
    if text == AUTO:
        return "it must be a number, as the search is what finds one"
    try:
        _field(path).validate_python(text)
    except ValidationError as problem:
        said = problem.errors(include_url=False)[0]["msg"].removeprefix("Input should be ")
        return f"it must be {said if _KIND.get(path) is None or said.startswith(('greater', 'less')) else _KIND[path]}"
    return ""


@cache
def _field(path: str) -> TypeAdapter[Any]:
    """What reads the field at a path in spec."""
    model: type[BaseModel] = TrainingRunSpec
    *folders, last = path.split(".")
    for folder in folders:
        field = next(field for name, field in model.model_fields.items() if (field.alias or name) == folder)
        model = next(models_in(field.annotation))
    field = next(field for name, field in model.model_fields.items() if (field.alias or name) == last)
    kind: Any = field.annotation
    return TypeAdapter(Annotated[(kind, *field.metadata)] if field.metadata else kind)


def _unread(spec: TrainingRunSpec, tuning: Tuning) -> Iterator[str]:
    """What no trial would read, or what a trial needs and has not."""
    training = spec.training
    tried: dict[str, Sequence[str]] = {parameter.name: parameter.categorical or () for parameter in tuning.parameters}
    given = {"training.optimizer.name": training.optimizer.name, "training.schedule.type": training.schedule.type}
    for path, (where, words) in _READERS.items():
        if path in tried and not {given[where], *tried.get(where, ())} & set(words):
            named = " or ".join(words)
            yield (
                f"spec.tuning.parameters {path} is only read with {where} {named}: remove it, set {where}, or search it with "
                f"{named} among its values."
            )
    has_steps = training.schedule.step_epochs is not None or "training.schedule.stepEpochs" in tried
    if "Step" in tried.get("training.schedule.type", ()) and not has_steps:
        yield (
            "spec.tuning.parameters training.schedule.type Step needs training.schedule.stepEpochs: search it too, or remove "
            "Step."
        )


def _too_large(tuning: Tuning) -> Iterator[str]:
    """A grid of more points than there are trials. The API server has refused one with decimals in a range."""
    points = math.prod(_count(parameter) for parameter in tuning.parameters)
    if tuning.algorithm is Algorithm.GRID and points > tuning.trials:
        yield (
            f"spec.tuning.algorithm Grid has {points} points (the numbers of values, multiplied), more than "
            f"spec.tuning.trials {tuning.trials}: raise trials, take fewer values, or use TPE or Random."
        )


def _count(parameter: SearchParameter) -> int:
    if parameter.int_ is not None:
        return (parameter.int_.maximum - parameter.int_.minimum) // parameter.int_.step + 1
    return len(parameter.categorical or ("",))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
