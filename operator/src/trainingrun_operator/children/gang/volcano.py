"""Volcano's PodGroup: https://volcano.sh/en/docs/podgroup/. Its queue is the cluster's default one."""

from trainingrun_operator.children.gang.member import Member
from trainingrun_operator.model import Manifest

API_VERSION = "scheduling.volcano.sh/v1beta1"


def group(workers: int) -> Manifest:
    """The spec of a PodGroup of so many pods, of which none is placed before all can be."""
    return {"minMember": workers}


def member(name: str) -> Member:
    """A pod of this PodGroup."""
    return Member(annotations={"scheduling.k8s.io/group-name": name}, spec={"schedulerName": "volcano"})
