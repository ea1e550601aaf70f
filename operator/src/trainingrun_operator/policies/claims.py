"""Are the claims there that the run mounts? Only asked before an attempt; a running one is not judged."""

from collections.abc import Iterator

from trainingrun.api import TrainingRun
from trainingrun_operator.life import BetweenAttempts, Life
from trainingrun_operator.model import Claim, Reference
from trainingrun_operator.policies.waiting import wait_for_user
from trainingrun_operator.reasons import Reason
from trainingrun_operator.step import Step

_SHARED = {"ReadWriteMany", "ReadOnlyMany"}


def claim_names(run: TrainingRun) -> tuple[str, ...]:
    """Names of the claims that a run uses."""
    return tuple(dict.fromkeys(name for _, name in uses(run)))


def wait_for_claims(life: BetweenAttempts) -> Step | None:
    """Wait for a missing claim, or one that the workers cannot share."""
    problem = next(_problems(life), None)
    if problem is None:
        return None
    reason, message, name = problem
    return wait_for_user(life, reason=reason, message=message, about=Reference("PersistentVolumeClaim", name))


def binding_claim(life: Life) -> tuple[str, Claim] | None:
    """A claim that can be mounted on one node only, where the run names it, while there are several workers."""
    if life.run.spec.workers.replicas == 1:
        return None
    named = ((path, life.observed.claims.get(name)) for path, name in uses(life.run))
    single = ((path, claim) for path, claim in named if claim is not None and not _SHARED.intersection(claim.access_modes))
    return next(single, None)


def _problems(life: BetweenAttempts) -> Iterator[tuple[str, str, str]]:
    """Reason and sentence of each claim that is in the way, and its name."""
    run = life.run
    for path, name in uses(run):
        claim = life.observed.claims.get(name)
        if claim is None:
            yield (
                Reason.CLAIM_NOT_FOUND,
                f"There is no PersistentVolumeClaim {name} ({path}) in namespace {run.metadata.namespace}: create it, and the "
                "run starts by itself.",
                name,
            )
        elif claim.access_modes == ("ReadWriteOncePod",) and run.spec.workers.replicas > 1:
            yield (
                Reason.CLAIM_NOT_SHAREABLE,
                f"The PersistentVolumeClaim {name} ({path}) is ReadWriteOncePod, but spec.workers.replicas is "
                f"{run.spec.workers.replicas}: use a claim that is ReadWriteOnce or ReadWriteMany, or one worker.",
                name,
            )


def uses(run: TrainingRun) -> Iterator[tuple[str, str]]:
    """Where a run names a claim, and the claim's name."""
    output, data = run.spec.output.persistent_volume_claim, run.spec.data.source.persistent_volume_claim
    if output is not None:
        yield "spec.output.persistentVolumeClaim.claimName", output.claim_name
    if data is not None:
        yield "spec.data.source.persistentVolumeClaim.claimName", data.claim_name
    for index, volume in enumerate(run.spec.workers.volumes):
        if volume.persistent_volume_claim is not None:
            path = f"spec.workers.volumes[{index}].persistentVolumeClaim.claimName"
            yield path, volume.persistent_volume_claim.claim_name
