"""Are the names that the run needs its own?

A run that was deleted and created again has another UID: the pods of the old one are waited for, because they may still write
to the output. An object of somebody else is never touched.
"""

from trainingrun_operator import names
from trainingrun_operator.life import Life
from trainingrun_operator.step import State, Step


def wait_for_names(life: Life) -> Step | None:
    """Wait for the pods and children of an earlier object of this name; stall on objects of anybody else."""
    wanted = {
        names.child_name(life.run.metadata.name, life.attempt),
        names.child_name(life.run.metadata.name, life.attempt + 1),
    }
    others = [child for child in life.observed.children if child.owner_uid != life.run.metadata.uid and child.name in wanted]
    strangers = [child for child in others if child.owner_name != life.run.metadata.name]
    if strangers:
        stranger = strangers[0]
        return Step(
            state=State.STALLED,
            reason="NameConflict",
            message=f"The {stranger.kind} {stranger.name} exists and belongs to somebody else: delete it, or give the "
            "TrainingRun another name.",
            status=life.status,
            requeue_after=life.pace.stalled_look_again_seconds,
        )
    foreign = [pod for pod in life.foreign_pods if pod.is_live]
    if others or foreign:
        left = ", ".join(sorted({child.name for child in others} | {pod.name for pod in foreign})[:4])
        return Step(
            state=State.WAITING,
            reason="WaitForCleanup",
            message=f"Waiting until the objects of the deleted TrainingRun of this name are gone: {left}.",
            status=life.status,
            requeue_after=life.pace.look_again_seconds,
        )
    return None
