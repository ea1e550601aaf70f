"""The volumes of a worker pod, and where its container sees them."""

from collections.abc import Iterator

from trainingrun.api import TrainingRun, Transport, Volume
from trainingrun.api.base import to_wire
from trainingrun.contract import (
    CODE_MOUNT,
    CONFIG_MOUNT,
    DATA_ACCESS_MOUNT,
    DATA_MOUNT,
    MPI_MOUNT,
    OUTPUT_ACCESS_MOUNT,
    OUTPUT_MOUNT,
    SCRATCH_MOUNT,
    SHARED_MEMORY_MOUNT,
)
from trainingrun_operator.children.accelerator import Equipment
from trainingrun_operator.children.access import access_volume
from trainingrun_operator.children.config_map import config_name
from trainingrun_operator.model import Manifest

DEFAULT_SCRATCH = "10Gi"
MPI_SIZE = "1Mi"
"""Of the folder in memory for keys and places: some files of a few hundred bytes."""


def pod_volumes(run: TrainingRun, *, attempt: int, equipment: Equipment) -> list[Manifest]:
    """Configuration, scratch, output, data, code, shared memory and the user's own. Two of them may be the same claim."""
    shared_memory = _shared_memory(run, equipment=equipment)
    volumes: list[Manifest] = [
        {"name": "config", "configMap": {"name": config_name(run, attempt=attempt)}},
        {"name": "scratch", "emptyDir": {"sizeLimit": run.spec.workers.scratch or DEFAULT_SCRATCH}},
        *(volume for volume, _ in _places(run)),
    ]
    if shared_memory is not None:
        volumes.append({"name": "shared-memory", "emptyDir": {"medium": "Memory", "sizeLimit": shared_memory}})
    if run.spec.strategy.transport is Transport.MPI:
        volumes.append({"name": "mpi", "emptyDir": {"medium": "Memory", "sizeLimit": MPI_SIZE}})
    return volumes + [_users(volume, written=_written(run)) for volume in run.spec.workers.volumes]


def volume_mounts(run: TrainingRun, *, equipment: Equipment) -> list[Manifest]:
    """The mount of every volume of the pod."""
    mounts: list[Manifest] = [
        {"name": "config", "mountPath": CONFIG_MOUNT, "readOnly": True},
        {"name": "scratch", "mountPath": SCRATCH_MOUNT},
        *({"name": volume["name"], **mount} for volume, mount in _places(run)),
    ]
    if _shared_memory(run, equipment=equipment) is not None:
        mounts.append({"name": "shared-memory", "mountPath": SHARED_MEMORY_MOUNT})
    if run.spec.strategy.transport is Transport.MPI:
        mounts.append({"name": "mpi", "mountPath": MPI_MOUNT})
    return mounts + [
        {
            "name": _users_name(volume),
            "mountPath": volume.mount_path,
            "readOnly": volume.read_only or volume.persistent_volume_claim is None,
        }
        for volume in run.spec.workers.volumes
    ]


def _shared_memory(run: TrainingRun, *, equipment: Equipment) -> str | None:
    """Size of /dev/shm; None where the container runtime decides."""
    return run.spec.workers.shared_memory or equipment.shared_memory


def _places(run: TrainingRun) -> Iterator[tuple[Manifest, Manifest]]:
    """Volumes and mounts of output and data, a claim or what it takes to reach a uri, and of the network's code."""
    output, data, entrypoint = run.spec.output, run.spec.data.source, run.spec.model.entrypoint
    written = _written(run)
    if output.persistent_volume_claim is not None:
        yield _claim("output", output.persistent_volume_claim.claim_name, written=written), {"mountPath": OUTPUT_MOUNT}
    if data.persistent_volume_claim is not None:
        volume = _claim("data", data.persistent_volume_claim.claim_name, written=written)
        yield volume, {"mountPath": DATA_MOUNT, "readOnly": True}
    places = (("output-access", output, OUTPUT_ACCESS_MOUNT), ("data-access", data, DATA_ACCESS_MOUNT))
    for name, location, mount in places:
        access = access_volume(name, location)
        if access is not None:
            yield access, {"mountPath": mount, "readOnly": True}
    if entrypoint is not None and entrypoint.config_map_name is not None:
        yield {"name": "code", "configMap": {"name": entrypoint.config_map_name}}, {"mountPath": CODE_MOUNT, "readOnly": True}


def _written(run: TrainingRun) -> set[str]:
    """Claims that the workers write to. A claim that is read-only in one volume of a pod is so in all of them."""
    output = run.spec.output.persistent_volume_claim
    users = (volume for volume in run.spec.workers.volumes if not volume.read_only)
    claims = (output, *(volume.persistent_volume_claim for volume in users))
    return {claim.claim_name for claim in claims if claim is not None}


def _claim(name: str, claim: str, *, written: set[str]) -> Manifest:
    """One that is only read is so at the volume: else the kubelet makes all of its files belong to the workers' group."""
    source: Manifest = {"claimName": claim}
    if claim not in written:
        source["readOnly"] = True
    return {"name": name, "persistentVolumeClaim": source}


def _users_name(volume: Volume) -> str:
    """A name that none of the trainer's volumes has."""
    return f"user-{volume.name}"


def _users(volume: Volume, *, written: set[str]) -> Manifest:
    if volume.persistent_volume_claim is not None:
        return _claim(_users_name(volume), volume.persistent_volume_claim.claim_name, written=written)
    sources = {"secret": volume.secret, "configMap": volume.config_map}
    given = {field: to_wire(source) for field, source in sources.items() if source is not None}
    return {"name": _users_name(volume), **given}
