"""The conditions of `spec.acceptance`, and what was measured."""

from collections.abc import Iterator

from trainingrun.api import Acceptance, AcceptanceMetric, Artifact, Result
from trainingrun_trainer.report.values import Check, Verdict


def verdict(acceptance: Acceptance | None, result: Result) -> Verdict | None:
    """On the model that is shipped, or on the best of those that are not; none without conditions."""
    if acceptance is None:
        return None
    judged = [artifact for artifact in result.artifacts if artifact.accepted is not None]
    shown = result.best or max(judged, key=lambda artifact: _value(artifact, "accuracy"))
    checks = tuple(_checks(acceptance, shown, float_model=result.artifacts[0]))
    return Verdict(accepted=result.best is not None, artifact=shown.name, checks=checks)


def _checks(acceptance: Acceptance, shown: Artifact, *, float_model: Artifact) -> Iterator[Check]:
    metric = str(acceptance.metric)
    value, floats = _value(shown, metric), _value(float_model, metric)
    if acceptance.minimum is not None:
        yield _check(metric, value, acceptance.minimum, is_maximum=False)
    if acceptance.maximum is not None:
        yield _check(metric, value, acceptance.maximum, is_maximum=True)
    if acceptance.maximum_degradation is not None:
        lost = floats - value if acceptance.metric is AcceptanceMetric.ACCURACY else value - floats
        yield _check("degradation", lost, acceptance.maximum_degradation, is_maximum=True)
    if acceptance.maximum_gzipped_bytes is not None:
        size, limit = float(shown.gzipped_bytes or 0), float(acceptance.maximum_gzipped_bytes)
        yield _check("gzipped size", size, limit, is_maximum=True, is_size=True)


def _check(name: str, value: float, bound: float, *, is_maximum: bool, is_size: bool = False) -> Check:
    holds = value <= bound if is_maximum else value >= bound
    return Check(name=name, bound=bound, value=value, is_maximum=is_maximum, holds=holds, is_size=is_size)


def _value(artifact: Artifact, metric: str) -> float:
    return next((float(each.value) for each in artifact.metrics if each.name == metric), float("nan"))
