"""The gauges of runs: what there is now, counted when somebody asks, from the last status of every run.

Nothing is added up here, so nothing drifts: a run that is deleted is gone, and an operator that takes over says nothing until
it has listed all runs once. Only the leader looks at runs, so only the leader has samples.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from trainingrun.api import AcceleratorKind, Account, TrainingRunStatus
from trainingrun_operator.step import State

Key = tuple[str, str]
"""Namespace and name of a run."""

NEW, OTHER = "New", "Other"
STATUSES: tuple[str, ...] = (*State, NEW, OTHER)


class Use(StrEnum):
    """What a run does with the accelerators that it holds."""

    TRAINING = "training"
    STARTING = "starting"
    IDLE = "idle"


@dataclass(frozen=True)
class Family:
    """Name, labels and meaning of a gauge."""

    name: str
    labels: tuple[str, ...]
    documentation: str

    def empty(self) -> GaugeMetricFamily:
        """The gauge without samples."""
        return GaugeMetricFamily(self.name, self.documentation, labels=self.labels)


RUNS = Family(
    "trainingrun_runs", ("namespace", "status"), "Runs that there are, in every status, of each namespace that has any."
)
ACCELERATORS = Family(
    "trainingrun_accelerators",
    ("namespace", "accelerator", "use"),
    "GPUs or TPU chips that pods of runs hold, of each namespace where any are held.",
)
_USES = {
    Account.TUNING: Use.TRAINING,
    Account.TRAINING: Use.TRAINING,
    Account.COMPRESSING: Use.TRAINING,
    Account.EVALUATING: Use.TRAINING,
    Account.STARTING: Use.STARTING,
}
"""By the account of the ledger that time goes to; whatever else holds some is idle."""


@dataclass(frozen=True)
class _Seen:
    """What is kept of a run."""

    status: str
    accelerator: str
    held: int
    use: Use


class Fleet(Collector):
    """All runs that the operator knows of."""

    def __init__(self) -> None:
        self._seen: dict[Key, _Seen] = {}
        self._is_complete = False

    def note(self, key: Key, status: TrainingRunStatus) -> None:
        """A run is there, and this is its status."""
        self._seen[key] = _seen(status)

    def forget(self, key: Key) -> None:
        """A run is gone."""
        self._seen.pop(key, None)

    def replace(self, statuses: Mapping[Key, TrainingRunStatus]) -> None:
        """These runs are there, and no others: from now on there is something to say."""
        self._seen = {key: _seen(status) for key, status in statuses.items()}
        self._is_complete = True

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The gauges as they are now."""
        runs, accelerators = RUNS.empty(), ACCELERATORS.empty()
        if self._is_complete:
            self._count_runs(runs)
            self._count_accelerators(accelerators)
        yield from (runs, accelerators)

    def _count_runs(self, family: GaugeMetricFamily) -> None:
        found = Counter((namespace, seen.status) for (namespace, _), seen in self._seen.items())
        for namespace in sorted({namespace for namespace, _ in found}):
            for status in STATUSES:
                family.add_metric((namespace, status), found[namespace, status])

    def _count_accelerators(self, family: GaugeMetricFamily) -> None:
        found: Counter[tuple[str, str, Use]] = Counter()
        for (namespace, _), seen in self._seen.items():
            if seen.held:
                found[namespace, seen.accelerator, seen.use] += seen.held
        for namespace, accelerator in sorted({each[:2] for each in found}):
            for use in Use:
                family.add_metric((namespace, accelerator, use), found[namespace, accelerator, use])


def known_accelerator(name: str) -> str:
    """An accelerator as a label."""
    return name if name in list(AcceleratorKind) else OTHER


def _seen(status: TrainingRunStatus) -> _Seen:
    word = status.columns.status if status.columns is not None else NEW
    ledger, resolved = status.ledger, status.resolved
    account = ledger.account if ledger is not None else ""
    return _Seen(
        status=word if word in STATUSES else OTHER,
        accelerator=known_accelerator((resolved.accelerator or "") if resolved is not None else ""),
        held=ledger.accelerators_held if ledger is not None else 0,
        use=next((use for known, use in _USES.items() if known == account), Use.IDLE),
    )
