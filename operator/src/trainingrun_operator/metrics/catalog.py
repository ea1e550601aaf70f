"""Every metric: `trainingrun_*` about runs, `trainingrun_operator_*` about the operator itself.

`docs/reference/metrics.md` is generated from here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

from trainingrun.api import AcceleratorKind, Account, TrainingRunStatus
from trainingrun.contract_version import CONTRACT
from trainingrun.version import VERSION
from trainingrun_operator.metrics.fleet import ACCELERATORS, RUNS, STATUSES, Fleet, Key, Use

OTHER = "Other"
"""Label of what this operator has no word for."""


class Outcome(StrEnum):
    """How a run ends."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"


class Exporter(StrEnum):
    """Which replica has something to say."""

    LEADER = "the leader"
    ALL = "every replica"


@dataclass(frozen=True)
class Described:
    """A row of the reference."""

    name: str
    """As it is exposed; that of a histogram has `_bucket`, `_sum` and `_count` after it."""
    kind: str
    labels: tuple[str, ...]
    meaning: str
    exporter: Exporter


LABELS: Mapping[str, str] = {
    "namespace": "namespace of the runs",
    "status": f"what `kubectl get trun` shows: {', '.join(STATUSES[:-2])}; `New` before the operator's first look, and `Other` "
    "for a word that only another version of the operator knows",
    "accelerator": f"{', '.join(AcceleratorKind)}, as the spec or its preset asks for, and `Other`",
    "use": f"what those who hold them do: {', '.join(Use)} (back-off, stopping, waiting for another worker)",
    "outcome": f"{', '.join(Outcome)}",
    "stage": f"the accounts of `status.ledger`: {', '.join(account for account in Account if account != Account.LOST)}",
    "cause": "a cause of [the page about failures](../how-to/failures.md), and `Other` for one that only a trainer image knows",
    "result": "`done`, `defect` (a fault of the operator), or the kind of error that the API server answered with",
    "verb": "HTTP method",
    "code": "HTTP status, or `none` where no answer came",
    "resource": "runs, jobs, pods",
    "version": "of the operator",
    "contract": "version of its contract with the trainer image",
}
"""What values each label has."""

_MINUTES_TO_DAYS = (60, 300, 900, 1800, 3600, 7200, 14400, 28800, 57600, 86400, 172800, 604800)


class Metrics:
    """All metrics, in a registry of their own so that tests do not share them."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the library is untyped here
        self.registry = CollectorRegistry()
        self.described: list[Described] = []
        self._about_runs()
        self._about_the_operator()

    def note(self, key: Key, status: TrainingRunStatus) -> None:
        """A run is there, and this is its status."""
        self.fleet.note(key, status)
        self._meet(key[0])

    def survey(self, statuses: Mapping[Key, TrainingRunStatus]) -> None:
        """These runs are there, and no others."""
        self.fleet.replace(statuses)
        for namespace in {namespace for namespace, _ in statuses}:
            self._meet(namespace)

    def _meet(self, namespace: str) -> None:
        """Begin at zero: the increase of a counter that comes into being with its first event would not show it."""
        for outcome in Outcome:
            self.finished.labels(namespace, outcome)

    def _about_runs(self) -> None:
        self.fleet = Fleet()
        self.registry.register(self.fleet)
        self._describe(RUNS.name, "gauge", RUNS.labels, RUNS.documentation)
        self._describe(ACCELERATORS.name, "gauge", ACCELERATORS.labels, ACCELERATORS.documentation)
        self.finished = self._counter(
            "trainingrun_finished_total", ("namespace", "outcome"), "Rounds of runs that have ended.", Exporter.LEADER
        )
        self.failures = self._counter(
            "trainingrun_failures_total", ("namespace", "cause"), "Rounds of runs that have failed.", Exporter.LEADER
        )
        self.restarts = self._counter(
            "trainingrun_restarts_total",
            ("namespace", "cause"),
            "Restarts that are counted against `recovery.maximumRestarts`.",
            Exporter.LEADER,
        )
        self.duration = self._histogram(
            "trainingrun_duration_seconds",
            ("outcome",),
            "From the first attempt of a round to its end.",
            Exporter.LEADER,
            buckets=_MINUTES_TO_DAYS,
        )
        self.waited = self._histogram(
            "trainingrun_queue_wait_seconds",
            (),
            "Each stretch for which a run was queued, or waited for what it needs, until its attempt could start.",
            Exporter.LEADER,
            buckets=(1, 10, *_MINUTES_TO_DAYS),
        )
        self.startup = self._histogram(
            "trainingrun_startup_seconds",
            (),
            "From the start of the first attempt of a run to its first training step.",
            Exporter.LEADER,
            buckets=(5, 10, 15, 20, 30, 45, 60, 120, 300, 600, 1200),
        )
        self.stage_seconds = self._counter(
            "trainingrun_stage_seconds_total",
            ("namespace", "stage"),
            "Seconds of runs, but for those that were lost. They are added when a stage ends: ask for the increase of hours.",
            Exporter.LEADER,
        )
        self.lost_seconds = self._counter(
            "trainingrun_lost_seconds_total",
            ("namespace", "cause"),
            "Seconds of work after the last checkpoint of attempts that died, and of back-off, by what ended the attempt.",
            Exporter.LEADER,
        )
        self.accelerator_seconds = self._counter(
            "trainingrun_accelerator_seconds_total",
            ("namespace", "accelerator"),
            "Seconds that pods of runs were on a node, times the GPUs or TPU chips that they held there. They are added when "
            "the number held changes.",
            Exporter.LEADER,
        )

    def _about_the_operator(self) -> None:
        self.build_info = self._gauge("trainingrun_operator_build_info", ("version", "contract"), "Always 1.", Exporter.ALL)
        self.build_info.labels(VERSION, str(CONTRACT)).set(1)
        self.is_leader = self._gauge(
            "trainingrun_operator_leader", (), "1 on the replica that holds the Lease, and 0 on the other.", Exporter.ALL
        )
        self.queue_depth = self._gauge(
            "trainingrun_operator_work_queue_depth", (), "Runs that wait to be looked at.", Exporter.ALL
        )
        self.queue_wait = self._histogram(
            "trainingrun_operator_work_queue_wait_seconds", (), "How long a run waits to be looked at.", Exporter.LEADER
        )
        self.reconcile_seconds = self._histogram(
            "trainingrun_operator_reconcile_seconds", ("result",), "How long looking at a run takes.", Exporter.LEADER
        )
        self.defects = self._counter(
            "trainingrun_operator_defects_total",
            (),
            "Looks at runs in which the operator itself failed, also those that only made their run `Stalled`.",
            Exporter.LEADER,
        )
        self.api_calls = self._counter(
            "trainingrun_operator_api_calls_total",
            ("verb", "code"),
            "Calls to the API server, but for the watches and the Lease.",
            Exporter.LEADER,
        )
        self.watch_events = self._counter(
            "trainingrun_operator_watch_events_total", ("resource",), "Changes that the watches have told.", Exporter.LEADER
        )
        self.missed = self._counter(
            "trainingrun_operator_watch_missed_total",
            (),
            "Changes of runs that no watch has told, and the next listing of all runs has found.",
            Exporter.LEADER,
        )
        self.listed_at = self._gauge(
            "trainingrun_operator_resync_timestamp_seconds",
            (),
            "When all runs were listed last, in seconds since 1970; 0 where it never was.",
            Exporter.ALL,
        )
        self.loop_lag = self._histogram(
            "trainingrun_operator_loop_lag_seconds",
            (),
            "How late the event loop wakes up, once a second.",
            Exporter.ALL,
            buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
        )

    def watch_queue(self, depth: Callable[[], int]) -> None:
        """Ask for the depth of the queue whenever somebody asks for the metrics."""
        self.queue_depth.set_function(depth)

    def _describe(
        self, name: str, kind: str, labels: tuple[str, ...], meaning: str, exporter: Exporter = Exporter.LEADER
    ) -> None:
        self.described.append(Described(name, kind, labels, meaning, exporter))

    def _counter(self, name: str, labels: tuple[str, ...], meaning: str, exporter: Exporter) -> Counter:
        self._describe(name, "counter", labels, meaning, exporter)
        return Counter(name, meaning, labels, registry=self.registry)

    def _gauge(self, name: str, labels: tuple[str, ...], meaning: str, exporter: Exporter) -> Gauge:
        self._describe(name, "gauge", labels, meaning, exporter)
        return Gauge(name, meaning, labels, registry=self.registry)

    def _histogram(
        self,
        name: str,
        labels: tuple[str, ...],
        meaning: str,
        exporter: Exporter,
        *,
        buckets: tuple[float, ...] = Histogram.DEFAULT_BUCKETS,
    ) -> Histogram:
        self._describe(name, "histogram", labels, meaning, exporter)
        return Histogram(name, meaning, labels, registry=self.registry, buckets=buckets)
