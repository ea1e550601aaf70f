"""Are the claims there that the run reads from and writes to? Only asked before an attempt; a running one is not judged."""

from collections.abc import Iterator

from trainingrun.api import TrainingRun
from trainingrun_operator.life import Life
from trainingrun_operator.step import State, Step

LOOK_AGAIN_SECONDS = 5.0


def claim_names(run: TrainingRun) -> tuple[str, ...]:
    """Names of the claims that a run uses."""
    data = run.spec.data.source.persistent_volume_claim
    return tuple({run.spec.output.persistent_volume_claim.claim_name, *([data.claim_name] if data is not None else [])})


def wait_for_claims(life: Life) -> Step | None:
    """Wait for a missing claim; after the start time-out say that nobody seems to come. A claim that appears clears it."""
    if life.resolved is not None:
        return None
    problem = next(_problems(life), None)
    if problem is None:
        return None
    reason, message = problem
    since = life.status.waiting_since or life.now
    waited = (life.now - since).total_seconds()
    patience = life.run.spec.recovery.start_timeout_seconds
    stalled = waited >= patience
    return Step(
        state=State.STALLED if stalled else State.WAITING,
        reason=reason,
        message=message,
        status=life.status.model_copy(update={"waiting_since": since}),
        requeue_after=60.0 if stalled else min(LOOK_AGAIN_SECONDS, patience - waited),
    )


def _problems(life: Life) -> Iterator[tuple[str, str]]:
    run = life.run
    data = run.spec.data.source.persistent_volume_claim
    uses = [("spec.output", run.spec.output.persistent_volume_claim), *([("spec.data.source", data)] if data else [])]
    for field, volume in uses:
        path, name = f"{field}.persistentVolumeClaim.claimName", volume.claim_name
        claim = life.observed.claims.get(name)
        if claim is None:
            yield (
                "ClaimNotFound",
                f"There is no PersistentVolumeClaim {name} ({path}) in namespace {run.metadata.namespace}: create it, and the "
                "run starts by itself.",
            )
        elif claim.access_modes == ("ReadWriteOncePod",) and run.spec.workers.replicas > 1:
            yield (
                "ClaimNotShareable",
                f"The PersistentVolumeClaim {name} ({path}) is ReadWriteOncePod, but spec.workers.replicas is "
                f"{run.spec.workers.replicas}: use a claim that is ReadWriteOnce or ReadWriteMany, or one worker.",
            )
