"""The Service through which the workers find worker 0: its address exists before any pod does."""

from trainingrun.api import TrainingRun
from trainingrun.contract import RENDEZVOUS_PORT
from trainingrun_operator import names
from trainingrun_operator.children.metadata import metadata, selector
from trainingrun_operator.model import Manifest


def rendezvous_service(run: TrainingRun, *, attempt: int, cluster_ip: str | None) -> Manifest:
    """The Service of an attempt with several workers.

    It publishes addresses that are not ready: worker 0 becomes ready only once all workers have met through it. A lost Service
    is made again with the `cluster_ip` that the pods know.
    """
    spec: Manifest = {
        "selector": {**selector(run, attempt=attempt), names.INDEX_LABEL: "0"},
        "publishNotReadyAddresses": True,
        "ports": [{"name": "rendezvous", "port": RENDEZVOUS_PORT, "targetPort": RENDEZVOUS_PORT}],
    }
    if cluster_ip:
        spec["clusterIP"] = cluster_ip
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata(run, attempt=attempt), "spec": spec}
