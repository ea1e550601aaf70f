"""Have all workers finished? Then worker 0's last word says what the run achieved.

A worker has when its trainer has. Its pod may live on: for a moment, while the kubelet takes it down, or for ever, with a
container that an admission webhook has added. Then the pods are ended together with the run.
"""

from dataclasses import replace

from trainingrun.api import Clock, Outcome, Progress, Result
from trainingrun.contract import Stage
from trainingrun_operator.changes import changed
from trainingrun_operator.decision import Event, EventReason
from trainingrun_operator.life import ActiveAttempt, Life
from trainingrun_operator.policies.progress import follow_progress
from trainingrun_operator.policies.taking_down import seconds_until_pods_are_down
from trainingrun_operator.status.history import with_ended_attempt
from trainingrun_operator.status.measurements import checkpoint
from trainingrun_operator.step import State, Step


def complete(life: ActiveAttempt) -> Step | None:
    """The run has succeeded when every worker has, and worker 0 has reported a result."""
    succeeded = {pod.index: pod for pod in life.gang.pods if pod.has_succeeded}
    record = succeeded[0].record if 0 in succeeded else None
    if len(succeeded) < life.resolved.replicas or record is None or record.result is None:
        return None
    patience = seconds_until_pods_are_down(life)
    if patience > 0:
        running = follow_progress(life)
        return replace(running, requeue_after=min(patience, running.requeue_after or patience))
    return _succeeded(life, record.result)


def _succeeded(life: Life, result: Result) -> Step:
    metrics = ", ".join(f"{metric.name} {metric.value}" for metric in result.metrics[-2:])
    return Step(
        state=State.SUCCEEDED,
        reason="Completed",
        message=f"Trained {result.epochs} epochs: {metrics}." if metrics else "All workers have finished.",
        status=changed(
            with_ended_attempt(life, life.status, Outcome.SUCCEEDED),
            result=result,
            failure=None,
            progress=_whole(life, result),
            stage=Stage.FINISHED,
            completion_time=life.now,
            clock=Clock(active_seconds=int(life.clocks.active_seconds), running_since=None),
        ),
        events=(Event(EventReason.SUCCEEDED, f"All workers have finished. {metrics}".strip()),),
    )


def _whole(life: Life, result: Result) -> Progress | None:
    """The progress as it was at the end: its last report is some seconds older."""
    progress, newest = life.status.progress, checkpoint(life, life.status)
    if progress is None:
        return None
    return changed(
        progress,
        percent=100,
        eta_seconds=0,
        stage_percent=100,
        stage_eta_seconds=0,
        epoch=result.epochs,
        metrics=result.metrics,
        step=newest.step if newest is not None else progress.step,
    )
