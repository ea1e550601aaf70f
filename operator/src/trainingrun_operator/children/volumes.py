"""The volumes of a worker pod, and where its container sees them."""

from trainingrun.api import TrainingRun, Volume
from trainingrun.api.base import to_wire
from trainingrun.contract import CONFIG_MOUNT, DATA_MOUNT, OUTPUT_MOUNT, SCRATCH_MOUNT, SHARED_MEMORY_MOUNT
from trainingrun_operator.children.config_map import config_name
from trainingrun_operator.model import Manifest

# Read-only is said at the mounts, not at the volumes: a claim that is read-only in one volume is so in all of a pod.


def pod_volumes(run: TrainingRun, *, attempt: int) -> list[Manifest]:
    """Configuration, scratch, output, data, shared memory and the user's own. Two of them may be the same claim."""
    workers, data = run.spec.workers, run.spec.data.source.persistent_volume_claim
    volumes: list[Manifest] = [
        {"name": "config", "configMap": {"name": config_name(run, attempt=attempt)}},
        {"name": "scratch", "emptyDir": {"sizeLimit": workers.scratch}},
        _claim("output", run.spec.output.persistent_volume_claim.claim_name),
    ]
    if data is not None:
        volumes.append(_claim("data", data.claim_name))
    if workers.shared_memory is not None:
        volumes.append({"name": "shared-memory", "emptyDir": {"medium": "Memory", "sizeLimit": workers.shared_memory}})
    return volumes + [_users(volume) for volume in workers.volumes]


def volume_mounts(run: TrainingRun) -> list[Manifest]:
    """The mount of every volume of the pod."""
    workers = run.spec.workers
    mounts: list[Manifest] = [
        {"name": "config", "mountPath": CONFIG_MOUNT, "readOnly": True},
        {"name": "scratch", "mountPath": SCRATCH_MOUNT},
        {"name": "output", "mountPath": OUTPUT_MOUNT},
    ]
    if run.spec.data.source.persistent_volume_claim is not None:
        mounts.append({"name": "data", "mountPath": DATA_MOUNT, "readOnly": True})
    if workers.shared_memory is not None:
        mounts.append({"name": "shared-memory", "mountPath": SHARED_MEMORY_MOUNT})
    return mounts + [
        {
            "name": _users_name(volume),
            "mountPath": volume.mount_path,
            "readOnly": volume.read_only or volume.persistent_volume_claim is None,
        }
        for volume in workers.volumes
    ]


def _claim(name: str, claim: str) -> Manifest:
    return {"name": name, "persistentVolumeClaim": {"claimName": claim}}


def _users_name(volume: Volume) -> str:
    """A name that none of the trainer's volumes has."""
    return f"user-{volume.name}"


def _users(volume: Volume) -> Manifest:
    sources = {
        "persistentVolumeClaim": volume.persistent_volume_claim,
        "secret": volume.secret,
        "configMap": volume.config_map,
    }
    given = {field: to_wire(source) for field, source in sources.items() if source is not None}
    return {"name": _users_name(volume), **given}
