"""Where the pods of an attempt may run, and how long they stay on a node that does not answer."""

from trainingrun.api import Toleration, TrainingRun
from trainingrun.api.base import to_wire
from trainingrun.api.scheduling import LOST_NODE_TAINTS
from trainingrun_operator.children.accelerator import Equipment
from trainingrun_operator.children.metadata import selector
from trainingrun_operator.config import OperatorConfig
from trainingrun_operator.model import Manifest
from trainingrun_operator.pace import Pace

ARCHITECTURE_LABEL = "kubernetes.io/arch"


def placement(run: TrainingRun, *, attempt: int, equipment: Equipment, same_node: bool, config: OperatorConfig) -> Manifest:
    """The fields of a pod's spec that the scheduler and the taint manager read, empty where the user said nothing."""
    workers = run.spec.workers
    return {
        "nodeSelector": node_labels(run, config=config) | dict(equipment.node_labels),
        "affinity": _capable_node(equipment) | (_same_node(run, attempt=attempt) if same_node else {}),
        "tolerations": [
            *_lost_node(config.pace),
            *equipment.tolerations,
            *(_toleration(toleration) for toleration in workers.tolerations),
        ],
        "priorityClassName": workers.priority_class_name,
        "schedulerName": workers.scheduler_name,
    }


def node_labels(run: TrainingRun, *, config: OperatorConfig) -> dict[str, str]:
    """Labels of a node that can run the image, and those that the user asks for, which win.

    The architecture is known of the operator's own images only.
    """
    image: dict[str, str] = {"kubernetes.io/os": "linux"}
    if run.spec.image is None and config.architecture is not None:
        image[ARCHITECTURE_LABEL] = config.architecture
    return image | run.spec.workers.node_selector


def _lost_node(pace: Pace) -> list[Manifest]:
    """They win over a toleration of every taint: of several that match, Kubernetes takes the shortest time."""
    return [
        {"key": taint, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": pace.lost_node_seconds}
        for taint in LOST_NODE_TAINTS
    ]


def _toleration(toleration: Toleration) -> Manifest:
    return {name: value for name, value in to_wire(toleration).items() if value != ""}


def _capable_node(equipment: Equipment) -> Manifest:
    """A node whose accelerators can do what the user asks for."""
    if not equipment.node_terms:
        return {}
    required = {"nodeSelectorTerms": list(equipment.node_terms)}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}


def _same_node(run: TrainingRun, *, attempt: int) -> Manifest:
    """All workers where the first one went: another node could not mount a ReadWriteOnce volume."""
    term = {
        "topologyKey": "kubernetes.io/hostname",
        "labelSelector": {"matchLabels": selector(run, attempt=attempt)},
    }
    return {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
