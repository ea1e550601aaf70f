"""Create a child of a run, and say why there is none."""

from trainingrun.api import KIND, TrainingRun
from trainingrun_operator.cluster.port import (
    AlreadyExistsError,
    Cluster,
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
)
from trainingrun_operator.model import Manifest, Refusal, RefusalReason
from trainingrun_operator.observe import controller


async def create(cluster: Cluster, run: TrainingRun, manifest: Manifest) -> Refusal | None:
    """Create a child; one that is there and ours is as good. Returns why there is none.

    Raises ConflictError when what has its name goes by itself.
    """
    kind, name = manifest["kind"], manifest["metadata"]["name"]
    try:
        await cluster.create(manifest)
    except AlreadyExistsError:
        return await _taken(cluster, run, kind=kind, name=name)
    except InvalidError as refused:
        return Refusal(RefusalReason.INVALID, kind, name, str(refused))
    except (ForbiddenError, NotFoundError) as refused:
        return Refusal(RefusalReason.FORBIDDEN, kind, name, str(refused))
    return None


async def _taken(cluster: Cluster, run: TrainingRun, *, kind: str, name: str) -> Refusal | None:
    """What it means that an object of this name exists."""
    try:
        found = await cluster.find(run.metadata.namespace, kind, name)
    except ForbiddenError as refused:
        return Refusal(RefusalReason.FORBIDDEN, kind, name, str(refused))
    owner = controller(found["metadata"]) if found is not None else {}
    if owner.get("uid") == run.metadata.uid:
        return None
    if found is None or (owner.get("kind"), owner.get("name")) == (KIND, run.metadata.name):
        raise ConflictError(f"{kind} {name} of an earlier run is on its way out")
    return Refusal(RefusalReason.TAKEN, kind, name, "It belongs to somebody else.")
