"""The gang as its scheduler knows it: a PodGroup, and pods that are its members. One file per scheduler; none by default."""

from types import ModuleType

from trainingrun.api import Resolved, TrainingRun
from trainingrun_operator.children.fields import given
from trainingrun_operator.children.gang import coscheduling, kubernetes, volcano
from trainingrun_operator.children.gang.member import Member
from trainingrun_operator.children.metadata import metadata
from trainingrun_operator.config import GangScheduler
from trainingrun_operator.model import Manifest

_SCHEDULERS: dict[GangScheduler, ModuleType] = {
    GangScheduler.KUBERNETES: kubernetes,
    GangScheduler.COSCHEDULING: coscheduling,
    GangScheduler.VOLCANO: volcano,
}


def pod_group_api(scheduler: GangScheduler) -> str:
    """Group and version of this scheduler's PodGroup."""
    return str(_SCHEDULERS[scheduler].API_VERSION)


def pod_group(run: TrainingRun, *, attempt: int, resolved: Resolved, scheduler: GangScheduler) -> Manifest:
    """The PodGroup of an attempt: all of its workers or none."""
    return {
        "apiVersion": pod_group_api(scheduler),
        "kind": "PodGroup",
        "metadata": metadata(run, attempt=attempt),
        "spec": _SCHEDULERS[scheduler].group(resolved.replicas),
    }


def in_gang(job: Manifest, *, scheduler: GangScheduler) -> Manifest:
    """A Job whose pods are members of the PodGroup of its name."""
    member: Member = _SCHEDULERS[scheduler].member(job["metadata"]["name"])
    template = job["spec"]["template"]
    marks = {kind: {**template["metadata"].get(kind, {}), **getattr(member, kind)} for kind in ("labels", "annotations")}
    pod = {**template, "metadata": {**template["metadata"], **given(marks)}, "spec": {**member.spec, **template["spec"]}}
    return {**job, "spec": {**job["spec"], "template": pod}}
