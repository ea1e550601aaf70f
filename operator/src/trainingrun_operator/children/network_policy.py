"""Who may talk to an attempt's pods: they among each other on all ports, and the operator about progress."""

from trainingrun.api import TrainingRun
from trainingrun.contract import PROGRESS_PORT
from trainingrun_operator import names
from trainingrun_operator.children.metadata import metadata, selector
from trainingrun_operator.model import Manifest


def network_policy(run: TrainingRun, *, attempt: int, operator_namespace: str) -> Manifest:
    """The NetworkPolicy of an attempt. Horovod listens on ports that the kernel chooses, so peers may use all of them."""
    peers = {"podSelector": {"matchLabels": selector(run, attempt=attempt)}}
    operator = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": operator_namespace}},
        "podSelector": {"matchLabels": {names.NAME_LABEL: names.OPERATOR_NAME}},
    }
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(run, attempt=attempt),
        "spec": {
            "podSelector": {"matchLabels": selector(run, attempt=attempt)},
            "policyTypes": ["Ingress"],
            "ingress": [{"from": [peers]}, {"from": [operator], "ports": [{"port": PROGRESS_PORT, "protocol": "TCP"}]}],
        },
    }
