"""Have all workers finished? Then worker 0's last word says what the run achieved."""

from trainingrun.api import Clock, Outcome
from trainingrun.contract import Stage
from trainingrun_operator.life import Life
from trainingrun_operator.model import Event, EventReason
from trainingrun_operator.status.history import with_ended_attempt
from trainingrun_operator.step import State, Step


def complete(life: Life) -> Step | None:
    """The run has succeeded when every worker has, and worker 0 has reported a result."""
    resolved = life.resolved
    if resolved is None or life.status.stopping is not None:
        return None
    succeeded = {pod.index: pod for pod in life.pods if pod.phase == "Succeeded"}
    record = succeeded[0].record if 0 in succeeded else None
    if len(succeeded) < resolved.replicas or record is None or record.result is None:
        return None
    metrics = ", ".join(f"{metric.name} {metric.value}" for metric in record.result.metrics[-2:])
    progress = life.status.progress
    finished = None
    if progress is not None:
        finished = progress.model_copy(update={"percent": 100, "eta_seconds": 0, "metrics": record.result.metrics})
    return Step(
        state=State.SUCCEEDED,
        reason="Completed",
        message=f"Trained {record.result.epochs} epochs: {metrics}." if metrics else "All workers have finished.",
        status=with_ended_attempt(life, life.status, Outcome.SUCCEEDED).model_copy(
            update={
                "result": record.result,
                "failure": None,
                "progress": finished,
                "stage": Stage.FINISHED,
                "completion_time": max((pod.finished for pod in succeeded.values() if pod.finished), default=life.now),
                "clock": Clock(active_seconds=int(life.active_seconds), running_since=None),
            }
        ),
        events=(Event(EventReason.SUCCEEDED, f"All workers have finished. {metrics}".strip()),),
    )
