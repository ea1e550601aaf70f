"""What a listing of all runs says beyond each of them: how many there are, and whether the watches have told everything."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from pydantic import ValidationError

from trainingrun.api import TrainingRunStatus
from trainingrun_operator.cluster.port import Raw
from trainingrun_operator.metrics import Metrics

Key = tuple[str, str]


class Hearing:
    """What the watches have told."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._versions: dict[Key, str] = {}
        self._doubts: dict[Key, str] = {}

    def run(self, key: Key, *, version: str) -> None:
        """A run has changed, and is of this resource version now."""
        self._versions[key] = version
        self._metrics.watch_events.labels("runs").inc()

    def child(self, resource: str) -> None:
        """A Job or Pod of a run has changed; `resource` is its plural."""
        self._metrics.watch_events.labels(resource).inc()

    def compare(self, listed: Mapping[Key, str]) -> None:
        """Count the changes that a listing has found, and of which no watch has told before the next listing.

        `listed` has the resource version of every run. Events may be on their way while runs are listed, so nothing is
        missed yet by then.
        """
        told = {key: self._versions.get(key, "") for key in listed}
        untold = {key: told[key] for key, version in listed.items() if told[key] != version}
        self._metrics.missed.inc(sum(1 for key, version in untold.items() if self._doubts.get(key) == version))
        self._doubts = untold
        self._versions = {key: version for key, version in told.items() if version}


class Survey:
    """Notes every listing."""

    def __init__(self, metrics: Metrics, hearing: Hearing, *, now: Callable[[], datetime]) -> None:
        self._metrics = metrics
        self._hearing = hearing
        self._now = now

    def note(self, runs: Sequence[Raw]) -> None:
        """All runs as they were just listed."""
        listed = {(run["metadata"]["namespace"], run["metadata"]["name"]): run for run in runs}
        there = {key: status_of(run) for key, run in listed.items() if "deletionTimestamp" not in run["metadata"]}
        self._metrics.survey(there)
        self._hearing.compare({key: run["metadata"].get("resourceVersion", "") for key, run in listed.items()})
        self._metrics.listed_at.set(self._now().timestamp())


def status_of(raw: Raw) -> TrainingRunStatus:
    """The status of a run, whatever its spec is; an empty one where it cannot be read."""
    try:
        return TrainingRunStatus.model_validate(raw.get("status", {}))
    except ValidationError:
        return TrainingRunStatus()
