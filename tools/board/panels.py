"""What the board shows: rows of panels, each with its expressions of PromQL."""

from dataclasses import dataclass
from enum import StrEnum

RUNS = 'namespace=~"$namespace"'
"""Metrics of runs are those of the namespaces that are chosen."""
WORK = 'stage=~"Tuning|Training|Compressing|Evaluating"'
NONE = " or vector(0)"
"""Shows a zero where nothing of the kind has ever been: nothing has failed, or no run has accelerators."""


class Look(StrEnum):
    """Kinds of panels, by their names in Grafana."""

    STAT = "stat"
    LINES = "timeseries"
    TABLE = "table"


@dataclass(frozen=True)
class Query:
    """One expression, and what its series are called; `{{label}}` is a label's value."""

    expression: str
    legend: str = ""


@dataclass(frozen=True)
class Panel:
    """One picture. `width` is of 24 columns."""

    title: str
    description: str
    queries: tuple[Query, ...]
    look: Look = Look.LINES
    unit: str = "short"
    width: int = 8
    stacked: bool = False
    red_above: float | None = None


@dataclass(frozen=True)
class Row:
    """Panels under a heading."""

    title: str
    panels: tuple[Panel, ...]


def _runs(status: str) -> str:
    return f'sum(trainingrun_runs{{{RUNS},status=~"{status}"}}){NONE}'


def _quantile(share: float, name: str, *, over: str, labels: str = "", by: str = "") -> str:
    groups = f"le, {by}" if by else "le"
    return f"histogram_quantile({share}, sum by ({groups}) (rate({name}_bucket{labels}[{over}])))"


def _increase(name: str, labels: str = RUNS) -> str:
    return f"increase({name}{{{labels}}}[$__range])"


_WORKED = f"sum(increase(trainingrun_stage_seconds_total{{{RUNS},{WORK}}}[1d]))"
_KEPT = f'sum(increase(trainingrun_stage_seconds_total{{{RUNS},stage!~"Queued|Suspended"}}[1d]))'
_LOST = f"(sum(increase(trainingrun_lost_seconds_total{{{RUNS}}}[1d])){NONE})"

FLEET = Row(
    "Runs",
    (
        Panel("Running", "Runs that train.", (Query(_runs("Running")),), Look.STAT, width=4),
        Panel(
            "Queued",
            "Runs that wait for a queue, or for what they need.",
            (Query(_runs("Queued|Waiting")),),
            Look.STAT,
            width=4,
        ),
        Panel(
            "Stalled",
            "Runs for which somebody has to change something.",
            (Query(_runs("Stalled")),),
            Look.STAT,
            width=4,
            red_above=1,
        ),
        Panel(
            "Accelerators held",
            "GPUs and TPU chips that pods of runs hold now.",
            (Query(f"sum(trainingrun_accelerators{{{RUNS}}}){NONE}"),),
            Look.STAT,
            width=4,
        ),
        Panel(
            "Goodput",
            "Part of the time of attempts, over a day, that was work and was kept. Time counts when a stage ends.",
            (Query(f"{_WORKED} / ({_KEPT} + {_LOST})"),),
            Look.STAT,
            unit="percentunit",
            width=4,
        ),
        Panel(
            "Succeeded",
            "Part of the rounds that ended within a day and succeeded.",
            (
                Query(
                    f'sum(increase(trainingrun_finished_total{{{RUNS},outcome="succeeded"}}[1d])) '
                    f"/ sum(increase(trainingrun_finished_total{{{RUNS}}}[1d]))"
                ),
            ),
            Look.STAT,
            unit="percentunit",
            width=4,
        ),
        Panel(
            "Runs by status",
            "All runs that there are.",
            (Query(f"sum by (status) (trainingrun_runs{{{RUNS}}}){NONE}", "{{status}}"),),
            stacked=True,
        ),
        Panel(
            "Accelerators by use",
            "What those who hold them do.",
            (Query(f"sum by (accelerator, use) (trainingrun_accelerators{{{RUNS}}}){NONE}", "{{accelerator}} {{use}}"),),
            stacked=True,
        ),
        Panel(
            "Accelerator hours by namespace",
            "Within the time that is shown; hours count when the number held changes.",
            (
                Query(
                    f"sum by (namespace, accelerator) ({_increase('trainingrun_accelerator_seconds_total')}) / 3600{NONE}",
                    "{{namespace}} {{accelerator}}",
                ),
            ),
            Look.TABLE,
            unit="h",
        ),
        Panel(
            "Wait for a start",
            "How long runs that started had waited, in all namespaces.",
            (
                Query(_quantile(0.5, "trainingrun_queue_wait_seconds", over="1h"), "median"),
                Query(_quantile(0.9, "trainingrun_queue_wait_seconds", over="1h"), "90 %"),
            ),
            unit="s",
        ),
        Panel(
            "Start to first step",
            "How long first attempts take until they train, in all namespaces.",
            (
                Query(_quantile(0.5, "trainingrun_startup_seconds", over="1h"), "median"),
                Query(_quantile(0.95, "trainingrun_startup_seconds", over="1h"), "95 %"),
            ),
            unit="s",
        ),
        Panel(
            "Duration",
            "From the first attempt to the end, in all namespaces.",
            (Query(_quantile(0.5, "trainingrun_duration_seconds", over="1d", by="outcome"), "median, {{outcome}}"),),
            unit="s",
        ),
    ),
)
FAILURES = Row(
    "Failures",
    (
        Panel(
            "Ends",
            "Rounds that have ended within the time that is shown.",
            (Query(f"sum by (outcome) ({_increase('trainingrun_finished_total')})", "{{outcome}}"),),
            Look.STAT,
            width=6,
        ),
        Panel(
            "Failed runs by cause and namespace",
            "What each means stands in the documentation of failures.",
            (Query(f"sum by (namespace, cause) ({_increase('trainingrun_failures_total')}){NONE}", "{{namespace}} {{cause}}"),),
            Look.TABLE,
            width=9,
        ),
        Panel(
            "Restarts by cause and namespace",
            "Those that are counted against recovery.maximumRestarts.",
            (Query(f"sum by (namespace, cause) ({_increase('trainingrun_restarts_total')}){NONE}", "{{namespace}} {{cause}}"),),
            Look.TABLE,
            width=9,
        ),
        Panel(
            "Seconds by stage",
            "Where the time of runs went, but for what was lost.",
            (Query(f"sum by (stage) ({_increase('trainingrun_stage_seconds_total')})", "{{stage}}"),),
            Look.TABLE,
            unit="s",
            width=12,
        ),
        Panel(
            "Lost seconds by cause",
            "Work after the last checkpoint of attempts that died, and back-off.",
            (Query(f"sum by (cause) ({_increase('trainingrun_lost_seconds_total')}){NONE}", "{{cause}}"),),
            Look.TABLE,
            unit="s",
            width=12,
        ),
    ),
)
OPERATOR = Row(
    "Operator",
    (
        Panel("Leaders", "One, unless something is wrong.", (Query("sum(trainingrun_operator_leader)"),), Look.STAT, width=4),
        Panel(
            "Versions",
            "Replicas by version.",
            (Query("count by (version) (trainingrun_operator_build_info)", "{{version}}"),),
            Look.STAT,
            width=4,
        ),
        Panel(
            "Since all runs were listed",
            "The leader lists them every seven minutes, in case a watch misses something.",
            (Query("time() - max(trainingrun_operator_resync_timestamp_seconds)"),),
            Look.STAT,
            unit="s",
            width=4,
            red_above=1800,
        ),
        Panel(
            "Defects",
            "Faults of the operator itself.",
            (Query("sum(increase(trainingrun_operator_defects_total[$__range]))"),),
            Look.STAT,
            width=4,
            red_above=1,
        ),
        Panel(
            "Missed changes",
            "What a listing has found and no watch had told.",
            (Query("sum(increase(trainingrun_operator_watch_missed_total[$__range]))"),),
            Look.STAT,
            width=4,
            red_above=1,
        ),
        Panel(
            "Runs that wait to be looked at",
            "Depth of the work queue.",
            (Query("sum(trainingrun_operator_work_queue_depth)"),),
            Look.STAT,
            width=4,
        ),
        Panel(
            "Looks at runs",
            "By their result, each second.",
            (Query("sum by (result) (rate(trainingrun_operator_reconcile_seconds_count[$__rate_interval]))", "{{result}}"),),
            unit="ops",
        ),
        Panel(
            "How long a look takes",
            "And how long a run waits for it.",
            (
                Query(_quantile(0.99, "trainingrun_operator_reconcile_seconds", over="$__rate_interval"), "look, 99 %"),
                Query(_quantile(0.99, "trainingrun_operator_work_queue_wait_seconds", over="$__rate_interval"), "wait, 99 %"),
            ),
            unit="s",
        ),
        Panel(
            "Calls to the API server",
            "By their answer, each second.",
            (Query("sum by (verb, code) (rate(trainingrun_operator_api_calls_total[$__rate_interval]))", "{{verb}} {{code}}"),),
            unit="ops",
        ),
        Panel(
            "Lag of the event loop",
            "How late it wakes up.",
            (Query(_quantile(0.99, "trainingrun_operator_loop_lag_seconds", over="$__rate_interval"), "99 %"),),
            unit="s",
            width=12,
        ),
        Panel(
            "Events of the watches",
            "By what has changed, each second.",
            (Query("sum by (resource) (rate(trainingrun_operator_watch_events_total[$__rate_interval]))", "{{resource}}"),),
            unit="ops",
            width=12,
        ),
    ),
)
ROWS = (FLEET, FAILURES, OPERATOR)
