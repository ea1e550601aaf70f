"""Are the names that the next attempt needs its own? Only asked before it: what runs already has its names.

Whose an object is, its controller owner reference says, by UID; there is no adoption. A run that was deleted and created again
has another UID: the pods of the old one are waited for, because they may still write to the output. An object of somebody else,
or of nobody (an orphan), is never touched.
"""

from trainingrun_operator import names
from trainingrun_operator.life import Life, StoppingAttempt
from trainingrun_operator.model import Reference
from trainingrun_operator.reasons import Reason
from trainingrun_operator.step import State, Step


def name_conflict(life: Life, *, kind: str, name: str) -> Step:
    """Stall: nobody but its owner may do anything about it."""
    return Step(
        state=State.STALLED,
        reason=Reason.NAME_CONFLICT,
        message=f"The {kind} {name} exists and belongs to somebody else: delete it, or give the TrainingRun another name.",
        status=life.status,
        requeue_after=life.pace.stalled_look_again_seconds,
        about=Reference(kind, name),
    )


def wait_for_names(life: Life) -> Step | None:
    """Wait for the pods and children of an earlier object of this name; stall on objects of anybody else."""
    wanted = {
        names.child_name(life.run.metadata.name, life.attempt),
        names.child_name(life.run.metadata.name, life.attempt + 1),
    }
    others = [child for child in life.observed.children if child.owner_uid != life.run.metadata.uid and child.name in wanted]
    strangers = [child for child in others if child.owner_name != life.run.metadata.name]
    if strangers:
        return name_conflict(life, kind=strangers[0].kind, name=strangers[0].name)
    foreign = [pod for pod in life.gang.foreign if pod.is_live]
    if others or foreign:
        left = ", ".join(sorted({child.name for child in others} | {pod.name for pod in foreign})[:4])
        return Step(
            state=State.WAITING,
            reason=Reason.WAIT_FOR_CLEANUP,
            message=f"Waiting until the objects of the deleted TrainingRun of this name are gone: {left}.",
            status=life.status,
            requeue_after=life.pace.look_again_seconds,
        )
    return None


def wait_for_names_when_idle(life: StoppingAttempt) -> Step | None:
    """The same for a finished run that is to be run again; an attempt that is being stopped already has its names."""
    return wait_for_names(life) if life.status.resolved is None else None
