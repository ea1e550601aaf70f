"""TPU chips on GKE: a slice is all nodes of one topology, and its workers find each other by host names."""

from trainingrun.api import Tpu, TrainingRun
from trainingrun.api.accelerator import TPU_LABELS, TPU_RESOURCE
from trainingrun_operator import names
from trainingrun_operator.children.accelerator.equipment import Equipment, tolerates
from trainingrun_operator.children.metadata import metadata, selector
from trainingrun_operator.model import Manifest


def tpu_equipment(run: TrainingRun, tpu: Tpu, *, attempt: int) -> Equipment:
    """The chips of a worker; those of a slice over several nodes are also told who they are and who the others are."""
    type_label, topology_label = TPU_LABELS
    is_shared = is_slice_of_hosts(run)
    return Equipment(
        resources={TPU_RESOURCE: tpu.chips},
        node_labels={type_label: tpu.type, topology_label: tpu.topology},
        tolerations=(tolerates(TPU_RESOURCE),),
        environment=_environment(run, attempt=attempt) if is_shared else (),
        subdomain=_service_name(run, attempt=attempt) if is_shared else None,
    )


def is_slice_of_hosts(run: TrainingRun) -> bool:
    """Whether the workers share a TPU slice, and need host names."""
    accelerator = run.spec.workers.accelerator
    return accelerator is not None and accelerator.tpu is not None and run.spec.workers.replicas > 1


def hosts_service(run: TrainingRun, *, attempt: int) -> Manifest:
    """The headless Service that gives each worker of a slice a host name, also before it is ready."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(run, attempt=attempt) | {"name": _service_name(run, attempt=attempt)},
        "spec": {"clusterIP": "None", "selector": selector(run, attempt=attempt), "publishNotReadyAddresses": True},
    }


def _environment(run: TrainingRun, *, attempt: int) -> tuple[Manifest, ...]:
    """What libtpu reads. A pod of an Indexed Job has the host name `<job>-<index>`."""
    job, subdomain = names.child_name(run.metadata.name, attempt), _service_name(run, attempt=attempt)
    hosts = (f"{job}-{index}.{subdomain}" for index in range(run.spec.workers.replicas))
    index = {"fieldRef": {"fieldPath": f"metadata.labels['{names.INDEX_LABEL}']"}}
    return (
        {"name": "TPU_WORKER_ID", "valueFrom": index},
        {"name": "TPU_WORKER_HOSTNAMES", "value": ",".join(hosts)},
    )


def _service_name(run: TrainingRun, *, attempt: int) -> str:
    return names.hosts_name(run.metadata.name, attempt)
