"""The run as it applies to its next attempt, or to the one that is active.

While an attempt is active, all comes from what was written down when it began: the preset may change, go, or be another one of
that name by now. Nothing of an attempt rests on reading it again, also not when one of its objects has to be made anew.
"""

import hashlib
import json
from dataclasses import dataclass

from pydantic import ValidationError

from trainingrun.api import ResolvedPreset, TrainingPreset, TrainingPresetSpec, TrainingRun, TrainingRunSpec, Workers
from trainingrun.api.base import to_wire
from trainingrun_operator.changes import changed
from trainingrun_operator.model import Obstacle, Unreadable
from trainingrun_operator.reasons import Reason
from trainingrun_operator.resolution.fitting import conflicts
from trainingrun_operator.resolution.judging import AGAIN, exceeded, forbidden, overridden
from trainingrun_operator.resolution.merging import Fields, compact, differences, merged


@dataclass(frozen=True)
class Applied:
    """A preset that applies, as it is written down."""

    record: ResolvedPreset
    spec: TrainingPresetSpec


@dataclass(frozen=True)
class Resolution:
    """The run with the values of its preset; unchanged when it names none, and when there is an obstacle."""

    run: TrainingRun
    preset: Applied | None = None
    obstacle: Obstacle | None = None


def resolve(run: TrainingRun, preset: TrainingPreset | Unreadable | None) -> Resolution:
    """What applies to the active attempt, or to the next one with this preset. An active attempt is never judged."""
    if run.status.resolved is not None:
        return _as_written_down(run, run.status.resolved.preset)
    if run.spec.preset is None:
        return Resolution(run)
    if isinstance(preset, TrainingPreset):
        return _judged(run, preset)
    return Resolution(run, obstacle=_unreadable(run.spec.preset, preset))


def _as_written_down(run: TrainingRun, record: ResolvedPreset | None) -> Resolution:
    """With the preset as it was. What only a newer operator could read is passed over."""
    if record is None:
        return Resolution(run)
    try:
        spec = TrainingPresetSpec.model_validate(record.spec or {}, extra="ignore")
        return Resolution(_with_preset(run, spec), preset=Applied(record, spec))
    except ValidationError:
        return Resolution(run)


def _judged(run: TrainingRun, preset: TrainingPreset) -> Resolution:
    name, spec = preset.metadata.name, preset.spec
    try:
        applied = _with_preset(run, spec)
    except ValidationError as invalid:
        return Resolution(run, obstacle=Obstacle(Reason.PRESET_CONFLICT, _invalid(invalid, name=name)))
    asked = _of_run(run.spec)
    found = differences(_of_preset(spec), asked)
    deadline = run.spec.active_deadline_seconds
    oversteps = (
        *forbidden(asked, fields=spec.forbidden_fields, name=name),
        *overridden(found, allowed=spec.allowed_overrides, name=name),
        *exceeded(applied.spec, limits=spec.limits, name=name, deadline=deadline),
    )
    if oversteps:
        return Resolution(run, obstacle=Obstacle(Reason.PRESET_OVERSTEPPED, " ".join(oversteps)))
    conflict = " ".join(conflicts(applied.spec, name=name))
    if conflict:
        return Resolution(run, obstacle=Obstacle(Reason.PRESET_CONFLICT, conflict))
    return Resolution(applied, preset=Applied(_record(preset), spec))


def _invalid(problem: ValidationError, *, name: str) -> str:
    first = problem.errors(include_url=False)[0]
    where = ".".join(map(str, first["loc"]))
    return f"With TrainingPreset {name}, spec.workers.{where} cannot be: {first['msg']}. Change it, {AGAIN}."


def _unreadable(name: str, preset: Unreadable | None) -> Obstacle:
    if preset is not None:
        return Obstacle(Reason.PRESET_UNREADABLE, f"TrainingPreset {name} (spec.preset) cannot be read: {preset.why}")
    return Obstacle(
        Reason.PRESET_NOT_FOUND,
        f"There is no TrainingPreset {name} (spec.preset): create it, and the run starts by itself, or name one that `kubectl "
        f"get trainingpresets` lists, {AGAIN}.",
    )


def _with_preset(run: TrainingRun, preset: TrainingPresetSpec) -> TrainingRun:
    """The run with the preset's values where it has none.

    Raises ValidationError when the two together are not valid, for example too many variables.
    """
    fields: Fields = merged(_of_preset(preset), _of_run(run.spec))
    spec = changed(
        run.spec,
        image=fields.get("image"),
        workers=Workers.model_validate(fields.get("workers", {})),
        active_deadline_seconds=_deadline(run.spec.active_deadline_seconds, preset.limits.longest_deadline_seconds),
    )
    return changed(run, spec=spec)


def _deadline(asked: int | None, longest: int | None) -> int | None:
    """The smaller one: a run may raise its deadline while an attempt is active, but not beyond what its preset allowed."""
    return min((seconds for seconds in (asked, longest) if seconds is not None), default=None)


def _of_run(spec: TrainingRunSpec) -> Fields:
    """What a run says of the fields that a preset may set, and of how many workers there are."""
    image = {"image": spec.image} if spec.image is not None else {}
    fields: Fields = compact({**image, "workers": to_wire(spec.workers)})
    return fields


def _of_preset(preset: TrainingPresetSpec) -> Fields:
    fields: Fields = compact(to_wire(preset.defaults))
    return fields


def _record(preset: TrainingPreset) -> ResolvedPreset:
    spec = compact(to_wire(preset.spec))
    text = json.dumps(spec, sort_keys=True, separators=(",", ":"))
    return ResolvedPreset(
        name=preset.metadata.name,
        generation=preset.metadata.generation,
        hash=hashlib.sha256(text.encode()).hexdigest(),
        spec=spec or None,
    )
