"""Prometheus metrics: `trainingrun_*` about runs, `trainingrun_operator_*` about the operator itself."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Metrics:
    """All metrics, in a registry of their own so that tests do not share them."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.finished = Counter("trainingrun_finished", "Runs that have ended.", ["outcome"], registry=self.registry)
        self.restarts = Counter("trainingrun_restarts", "Attempts that were restarted.", ["cause"], registry=self.registry)
        self.accelerator_seconds = Counter(
            "trainingrun_accelerator_seconds",
            "Seconds that pods of runs were on a node, times the GPUs or TPU chips that they held there.",
            ["accelerator"],
            registry=self.registry,
        )
        self.startup = Histogram(
            "trainingrun_startup_seconds",
            "From the start of the first attempt of a run to its first training step.",
            buckets=(5, 10, 15, 20, 30, 45, 60, 120, 300, 600),
            registry=self.registry,
        )
        self.is_leader = Gauge("trainingrun_operator_leader", "1 on the replica that holds the Lease.", registry=self.registry)
        self.queue_depth = Gauge("trainingrun_operator_queue_depth", "Runs that wait to be looked at.", registry=self.registry)
        self.reconcile_seconds = Histogram(
            "trainingrun_operator_reconcile_seconds", "How long looking at a run takes.", ["result"], registry=self.registry
        )
        self.api_calls = Counter(
            "trainingrun_operator_api_calls", "Calls to the API server.", ["verb", "code"], registry=self.registry
        )
        self.loop_lag = Gauge(
            "trainingrun_operator_loop_lag_seconds", "How late the event loop wakes up.", registry=self.registry
        )
