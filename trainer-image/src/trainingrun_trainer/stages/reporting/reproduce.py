"""What it takes to make the same model again: what was chosen, versions, digests, parameters."""

from collections.abc import Iterator

import yaml

from trainingrun.api.base import to_wire
from trainingrun.contract import AttemptConfig
from trainingrun_trainer.report.values import Choice, Pair
from trainingrun_trainer.stages.reporting.finished import Finished

_NOT_PARAMETERS = {"run", "round", "attempt", "image", "output", "startTimeoutSeconds", "terminationGracePeriodSeconds"}
"""What a configuration says beside what the result follows from."""


def choices(finished: Finished) -> Iterator[Choice]:
    """What `Auto` has become."""
    for found in finished.found:
        yield Choice(name=found.name, value=found.value, reason=found.reason, measured=found.measured)


def versions(finished: Finished) -> Iterator[Pair]:
    """Packages, image, and digests of the data and the artifacts."""
    yield from finished.versions.items()
    if finished.config.image:
        yield "image", finished.config.image
    yield "data sha256", finished.data_sha256
    yield from ((f"{artifact.name} sha256", artifact.sha256) for artifact in finished.result.artifacts)


def parameters(config: AttemptConfig) -> str:
    """As YAML, in the fields of spec."""
    told = {name: value for name, value in to_wire(config).items() if name not in _NOT_PARAMETERS}
    return yaml.safe_dump(told, sort_keys=False, allow_unicode=True)
