"""The conditions: what kstatus, Flux, Argo CD and `kubectl wait` go by.

| life                                            | Reconciling | Stalled | Ready | Succeeded |
|-------------------------------------------------|-------------|---------|-------|-----------|
| waiting, queued, starting, running, stopping    | True        | -       | False | Unknown   |
| suspended                                       | -           | -       | False | Unknown   |
| succeeded                                       | -           | -       | True  | True      |
| failed                                          | -           | True    | False | False     |
| cannot start for longer than the start time-out | -           | True    | False | Unknown   |

`-` means that the condition is absent. A run that has ended is Reconciling, too, as long as it has a `cleanup`. Suspended,
Admitted and PodsReady are always there. Admitted is True from the moment that an attempt may use the cluster: what it names is
there, and nothing holds it back. ModelAccepted is there when there is a `spec.acceptance`, and Unknown until the model has been
judged.

Conditions are derived, and no intent rests on them: those are fields of the status. What they remember is that a run has ended
(Succeeded) and whether it was Admitted then.
"""

from typing import Literal

from trainingrun.api import Artifact, Condition, TrainingRunStatus
from trainingrun.contract import Cause
from trainingrun_operator.changes import changed
from trainingrun_operator.life import Life
from trainingrun_operator.status.workers import ready_workers, wanted_workers
from trainingrun_operator.step import State, Step

_OURS = ("Succeeded", "Ready", "Suspended", "Admitted", "PodsReady", "ModelAccepted", "Reconciling", "Stalled")
_BUSY = (State.WAITING, State.QUEUED, State.STARTING, State.RUNNING, State.STOPPING, State.RESTARTING)
_CLEANUP = (
    "The run has ended. Its Job is being deleted, because a queue has stopped it and would start it again, or because its pods "
    "do not end by themselves."
)


def conditions(life: Life, step: Step, status: TrainingRunStatus) -> tuple[Condition, ...]:
    """All conditions of a step; a condition keeps its transition time as long as its status stays."""
    suspended = step.state is State.SUSPENDED
    made = [
        _succeeded(life, step),
        _condition(life, "Ready", step.state is State.SUCCEEDED, reason=step.reason, message=step.message),
        _condition(
            life,
            "Suspended",
            suspended,
            reason="Suspended" if suspended else "NotSuspended",
            message=step.message if suspended else "",
        ),
        _admitted(life, step),
        _pods_ready(life, step),
    ]
    if life.run.spec.acceptance is not None:
        made.append(_model_accepted(life, step))
    if step.state in _BUSY:
        made.append(_condition(life, "Reconciling", True, reason=step.reason, message=step.message))
    if status.cleanup is not None:
        made.append(_condition(life, "Reconciling", True, reason="Cleanup", message=_CLEANUP))
    if step.state in (State.FAILED, State.STALLED):
        made.append(_condition(life, "Stalled", True, reason=step.reason, message=step.message))
    return tuple(made)


def without_foreign(status: TrainingRunStatus) -> TrainingRunStatus:
    """A status as the operator writes it: conditions that others add are theirs, and it neither keeps nor removes them."""
    ours = tuple(each for each in status.conditions if each.type in _OURS)
    return status if len(ours) == len(status.conditions) else changed(status, conditions=ours)


def _succeeded(life: Life, step: Step) -> Condition:
    value = step.state is State.SUCCEEDED if step.state.is_final else None
    return _condition(life, "Succeeded", value, reason=step.reason, message=step.message)


def _pods_ready(life: Life, step: Step) -> Condition:
    if step.state.is_final:
        return _condition(life, "PodsReady", False, reason="Finished", message="The workers have ended.")
    ready, wanted = ready_workers(life), wanted_workers(life)
    all_ready = step.status.resolved is not None and ready >= wanted
    return _condition(
        life,
        "PodsReady",
        all_ready,
        reason="AllReady" if all_ready else "NotAllReady",
        message=f"{ready} of {wanted} workers are ready.",
    )


def _admitted(life: Life, step: Step) -> Condition:
    """A run that has ended stays what it was."""
    before = life.status.condition("Admitted")
    was = before is not None and before.status == "True"
    admitted = was if step.state.is_final else step.status.resolved is not None and not life.queue.is_held
    reason, message = ("Admitted", "An attempt may use the cluster.") if admitted else (step.reason, step.message)
    return _condition(life, "Admitted", admitted, reason=reason, message=message)


def _model_accepted(life: Life, step: Step) -> Condition:
    """What the trainer said of the model: the smallest artefact that meets `spec.acceptance`, or what all of them miss."""
    failure, result = step.status.failure, step.status.result
    if failure is not None and failure.cause == Cause.NOT_ACCEPTED:
        return _condition(life, "ModelAccepted", False, reason=failure.cause, message=failure.message)
    best = result.best if step.state is State.SUCCEEDED and result is not None else None
    if best is not None:
        return _condition(life, "ModelAccepted", True, reason="Accepted", message=_numbers(best))
    ended = (
        "The run ended before its model was judged." if step.state.is_final else "The model is judged at the end of the run."
    )
    return _condition(life, "ModelAccepted", None, reason="NotJudged", message=ended)


def _numbers(artifact: Artifact) -> str:
    measured = [f"{metric.name} {metric.value}" for metric in artifact.metrics]
    size = f"{artifact.size_bytes} bytes"
    gzipped = [f"{artifact.gzipped_bytes} bytes compressed with gzip"] if artifact.gzipped_bytes is not None else []
    return f"{artifact.name} is accepted: {', '.join([*measured, size, *gzipped])}."


def _condition(life: Life, kind: str, value: bool | None, *, reason: str, message: str) -> Condition:
    """One condition; None stands for Unknown."""
    status: Literal["True", "False", "Unknown"] = "Unknown" if value is None else "True" if value else "False"
    before = life.status.condition(kind)
    since = before.last_transition_time if before is not None and before.status == status else life.now
    return Condition(
        type=kind,
        status=status,
        reason=reason,
        message=message,
        last_transition_time=since,
        observed_generation=life.run.metadata.generation,
    )
