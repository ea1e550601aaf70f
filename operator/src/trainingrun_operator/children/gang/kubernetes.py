"""The gang scheduling of kube-scheduler: feature gate `GenericWorkload`, which is beta and off in Kubernetes 1.37."""

from trainingrun_operator.children.gang.member import Member
from trainingrun_operator.model import Manifest

API_VERSION = "scheduling.k8s.io/v1beta1"


def group(workers: int) -> Manifest:
    """The spec of a PodGroup of so many pods, of which none is placed before all can be."""
    return {"schedulingPolicy": {"gang": {"minCount": workers}}}


def member(name: str) -> Member:
    """A pod of this PodGroup."""
    return Member(spec={"schedulingGroup": {"podGroupName": name}})
