"""The plugin Coscheduling of kubernetes-sigs/scheduler-plugins, by default in a second scheduler beside kube-scheduler."""

from trainingrun_operator.children.gang.member import Member
from trainingrun_operator.model import Manifest

API_VERSION = "scheduling.x-k8s.io/v1alpha1"


def group(workers: int) -> Manifest:
    """The spec of a PodGroup of so many pods, of which none is placed before all can be."""
    return {"minMember": workers}


def member(name: str) -> Member:
    """A pod of this PodGroup."""
    return Member(labels={"scheduling.x-k8s.io/pod-group": name}, spec={"schedulerName": "scheduler-plugins-scheduler"})
