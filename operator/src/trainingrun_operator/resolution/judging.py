"""Does a run stay within its preset? Each overstep is a sentence: which field, both values, and the way out."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from trainingrun.api import PresetField, PresetLimits, TrainingRunSpec
from trainingrun_operator.resolution.merging import Difference

AGAIN = "together with a new value of spec.rerun"


def overridden(found: Iterable[Difference], *, allowed: Iterable[PresetField], name: str) -> Iterator[str]:
    """Differences from the preset of this name that it does not allow."""
    fields = tuple(allowed)
    for difference in sorted(found, key=lambda each: each.path):
        if not any(_is_in(difference.path, field) for field in fields):
            yield (
                f"spec.{difference.path} is {_shown(difference.asked)}, but TrainingPreset {name} has "
                f"{_shown(difference.given)}: remove it from the run, {AGAIN}, or have the field added to the preset's "
                "spec.allowedOverrides."
            )


def forbidden(asked: Mapping[str, Any], *, fields: Iterable[PresetField], name: str) -> Iterator[str]:
    """Fields that the run sets, of those that the preset of this name forbids."""
    for field in fields:
        value: Any = asked
        for part in field.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        if value is not None:
            yield f"spec.{field} is {_shown(value)}, which TrainingPreset {name} forbids: remove it from the run, {AGAIN}."


def exceeded(spec: TrainingRunSpec, *, limits: PresetLimits, name: str, deadline: int | None) -> Iterator[str]:
    """Limits of the preset that the run as it would apply does not keep. `deadline` is what the run itself says."""
    workers, allows = spec.workers, f"but TrainingPreset {name} allows at most"
    if limits.most_workers is not None and workers.replicas > limits.most_workers:
        yield (
            f"spec.workers.replicas is {workers.replicas}, {allows} {limits.most_workers} (limits.mostWorkers): lower it, or "
            f"name a preset that allows more, {AGAIN}."
        )
    accelerators = workers.replicas * workers.accelerators_per_worker
    if limits.most_accelerators is not None and accelerators > limits.most_accelerators:
        yield (
            f"spec.workers asks for {accelerators} accelerators, {workers.accelerators_per_worker} for each of "
            f"{workers.replicas}, {allows} {limits.most_accelerators} (limits.mostAccelerators): lower workers.replicas, or "
            f"name a preset that allows more, {AGAIN}."
        )
    if limits.longest_deadline_seconds is not None and deadline is not None and deadline > limits.longest_deadline_seconds:
        yield (
            f"spec.activeDeadlineSeconds is {deadline}, {allows} {limits.longest_deadline_seconds} "
            "(limits.longestDeadlineSeconds): lower it or remove it."
        )


def _is_in(path: str, field: PresetField) -> bool:
    return path == field or path.startswith((f"{field}.", f"{field}["))


def _shown(value: Any, *, limit: int = 120) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
