"""Whether a model is good enough to ship. Which of several is shipped, `Result.best` of the SDK says. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from trainingrun.api import Acceptance, AcceptanceMetric


@dataclass(frozen=True)
class Candidate:
    """A model that may be shipped, as it has been measured."""

    name: str
    accuracy: float
    loss: float
    gzipped_bytes: int

    def value(self, metric: AcceptanceMetric) -> float:
        """The value of the metric that models are judged by."""
        return self.accuracy if metric is AcceptanceMetric.ACCURACY else self.loss


@dataclass(frozen=True)
class Judgement:
    """What `spec.acceptance` says of the models that were judged, by their names: what each misses."""

    missed: Mapping[str, tuple[str, ...]]

    def accepts(self, name: str) -> bool | None:
        """Whether a model is accepted; None when it was not judged."""
        return not self.missed[name] if name in self.missed else None

    @property
    def reasons(self) -> list[str]:
        """Why no model is accepted, a sentence each; empty when one is, or nothing was judged."""
        if any(not missed for missed in self.missed.values()):
            return []
        return [sentence for missed in self.missed.values() for sentence in missed]


def shortcomings(candidate: Candidate, *, acceptance: Acceptance, float_model: Candidate) -> tuple[str, ...]:
    """What a candidate misses of `spec.acceptance`, a sentence each; none if it is accepted.

    A bound itself is accepted, and a value that is no number misses every bound.
    """
    metric = acceptance.metric
    value, reference = candidate.value(metric), float_model.value(metric)
    lost = reference - value if metric is AcceptanceMetric.ACCURACY else value - reference
    missed: list[str] = []
    if acceptance.minimum is not None and not _at_most(acceptance.minimum, value):
        missed.append(f"{candidate.name} has {metric} {value:.4f}, below acceptance.minimum {acceptance.minimum}.")
    if acceptance.maximum is not None and not _at_most(value, acceptance.maximum):
        missed.append(f"{candidate.name} has {metric} {value:.4f}, above acceptance.maximum {acceptance.maximum}.")
    if acceptance.maximum_degradation is not None and not _at_most(lost, acceptance.maximum_degradation):
        missed.append(
            f"{candidate.name} has {metric} {value:.4f}, worse by {lost:.4f} than {reference:.4f} of the float model; "
            f"acceptance.maximumDegradation allows {acceptance.maximum_degradation}."
        )
    limit = acceptance.maximum_gzipped_bytes
    if limit is not None and candidate.gzipped_bytes > limit:
        missed.append(
            f"{candidate.name} has {candidate.gzipped_bytes} bytes after gzip, more than acceptance.maximumGzippedBytes "
            f"{limit}."
        )
    return tuple(missed)


def _at_most(value: float, limit: float) -> bool:
    """Rounded to nine places: 0.97 - 0.96 is 0.01, whatever binary fractions make of it."""
    return round(value - limit, 9) <= 0
