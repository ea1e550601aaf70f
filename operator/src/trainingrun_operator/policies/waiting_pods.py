"""What does a pod wait for: its claims, a node, its volumes, its image, its container?"""

import re

from trainingrun.contract import Cause
from trainingrun_operator.life import Life
from trainingrun_operator.model import Claim, Pod, Reference
from trainingrun_operator.policies.claims import uses
from trainingrun_operator.policies.hindrance import Hindrance, Need, Prospect, shortened
from trainingrun_operator.reasons import Reason
from trainingrun_operator.sight import Notice

_IMAGE = (
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "RegistryUnavailable",
    "ImageInspectError",
)
_CONTAINER = (
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
    "PreCreateHookError",
    "PreStartHookError",
)
_VOLUMES = {
    "FailedMount": Cause.FAILED_MOUNT,
    "FailedMapVolume": Cause.FAILED_MOUNT,
    "FailedAttachVolume": Cause.FAILED_ATTACH_VOLUME,
}
_SANDBOX = "FailedCreatePodSandBox"
_GOES_ON = ("Pulled", "Created", "Started", "SuccessfulAttachVolume")
_NODE_COMES = (Reason.TRIGGERED_SCALE_UP.value, "Nominated")
"""What the cluster autoscaler and Karpenter say when they add a node for a pod."""
_NO_NODE_COMES = ("NotTriggerScaleUp", "FailedScaleUp")
_UNKNOWN_TO_REGISTRY = re.compile(r"unauthorized|authorization failed|access denied|forbidden|\b40[13]\b", re.IGNORECASE)
_NOT_FOR_PLATFORM = "no match for platform"
_OF_CLAIMS = re.compile(r"persistentvolumeclaim|persistent volumes?|volume node affinity|volume binding", re.IGNORECASE)

_SCHEDULER_SECONDS = 5.0
"""In which a scheduler looks at a pod, also when it has many."""


def waits_for(life: Life, pod: Pod, *, misfit: str | None, image: str) -> Hindrance | None:
    """What keeps a pod from starting, if anybody has said so. `misfit`: why it fits no node; `image` and who has chosen it."""
    if pod.waiting_reason in _IMAGE:
        return Hindrance(
            need=Need.IMAGE,
            cause=Cause.IMAGE_PULL,
            message=f"Worker {pod.index} waits for the image {image}: {pod.waiting_reason}. "
            f"{shortened(pod.waiting_message)}".strip(),
            hint=_of_pulling(pod),
        )
    if pod.waiting_reason in _CONTAINER:
        return Hindrance(
            need=Need.CONTAINER,
            cause=Cause.CONTAINER_CREATE,
            message=f"The container of worker {pod.index} cannot be made: {pod.waiting_reason}. "
            f"{shortened(pod.waiting_message)}".strip(),
            hint="See `kubectl describe pod` for what it lacks.",
        )
    if pod.unschedulable:
        return _without_node(life, pod, misfit=misfit)
    if pod.started is not None or pod.has_ended:
        return None
    return _on_its_node(life, pod, image=image) if pod.node else _without_node(life, pod, misfit=misfit)


def _of_pulling(pod: Pod) -> str:
    """The way out, by the words of registries and container runtimes."""
    if _UNKNOWN_TO_REGISTRY.search(pod.waiting_message):
        return "If it is private, name a Secret for its registry in spec.workers.imagePullSecrets; or set another spec.image."
    if _NOT_FOR_PLATFORM in pod.waiting_message:
        return (
            f"It is not made for the processors of node {pod.node}: build it for them, or choose nodes with "
            "spec.workers.nodeSelector, by kubernetes.io/arch."
        )
    return "See that the node can pull it, or set another spec.image."


def pending_claims(life: Life) -> tuple[Claim, ...]:
    """The run's claims that no volume is bound to."""
    return tuple(claim for claim in life.observed.claims.values() if claim is not None and claim.phase in ("Pending", "Lost"))


def _without_node(life: Life, pod: Pod, *, misfit: str | None) -> Hindrance | None:
    said = {notice.reason: notice.message for notice in reversed(life.reports.notices_about(pod.uid))}
    coming = next((said[reason] for reason in _NODE_COMES if reason in said), None)
    pending = pending_claims(life)
    if pending and (not pod.unschedulable or _OF_CLAIMS.search(pod.unschedulable)):
        return _unbound(life, pod, pending[0])
    if pod.unschedulable and _OF_CLAIMS.search(pod.unschedulable) and misfit is None:
        return Hindrance(
            need=Need.CLAIM,
            cause=Cause.UNSCHEDULABLE,
            message=f"Worker {pod.index} fits no node because of a volume: {shortened(pod.unschedulable)}",
            hint="A volume of a claim can be used on some nodes only: free those, or use a claim that is ReadWriteMany.",
            prospect=Prospect.FREES,
        )
    if coming is not None:
        return Hindrance(
            need=Need.NODE,
            cause=Reason.TRIGGERED_SCALE_UP,
            message=f"Worker {pod.index} waits for a node that is being added: {shortened(coming)}",
            prospect=Prospect.PASSES,
        )
    if not pod.unschedulable:
        return _unheard(life, pod)
    refused = next((f" The autoscaler adds none: {shortened(said[reason])}" for reason in _NO_NODE_COMES if reason in said), "")
    hint = "Lower spec.workers.resources.requests, or add nodes."
    return Hindrance(
        need=Need.NODE,
        cause=Cause.UNSCHEDULABLE,
        message=f"Worker {pod.index} fits no node: {misfit or shortened(pod.unschedulable)}{refused}",
        hint=hint if misfit is None else "Ask for less, or for what there is, in spec.workers, or add such nodes.",
        prospect=Prospect.FREES,
    )


def _unheard(life: Life, pod: Pod) -> Hindrance | None:
    """A pod that no scheduler has looked at: that of this name is not there, or does not work."""
    if pod.was_looked_at or life.clocks.attempt_seconds < _SCHEDULER_SECONDS:
        return None
    name = life.run.spec.workers.scheduler_name
    scheduler = f"the scheduler {name} (spec.workers.schedulerName)" if name is not None else "the scheduler"
    return Hindrance(
        need=Need.NODE,
        cause=Cause.UNSCHEDULABLE,
        message=f"Worker {pod.index} has no node, and {scheduler} has said nothing about it.",
        hint="See that it runs, and that the name is right." if name is not None else "See that it runs.",
        prospect=Prospect.FREES,
    )


def _unbound(life: Life, pod: Pod, claim: Claim) -> Hindrance:
    """A claim without a volume: that of its class, or who provides it, is not there, slow, or full."""
    path = next((path for path, name in uses(life.run) if name == claim.name), "spec")
    words = next((f" {shortened(notice.message)}" for notice in life.reports.notices_about(claim.uid)), "")
    of_class = f" of class {claim.storage_class}" if claim.storage_class else ""
    return Hindrance(
        need=Need.CLAIM,
        cause=Cause.CLAIM_NOT_BOUND,
        message=f"Worker {pod.index} waits for the PersistentVolumeClaim {claim.name} ({path}){of_class}, which is "
        f"{claim.phase}: no volume is bound to it.{words}",
        hint="`kubectl describe pvc` says what it waits for: a provisioner, a StorageClass, or a volume that fits.",
        prospect=Prospect.FREES,
        about=Reference("PersistentVolumeClaim", claim.name),
    )


def _on_its_node(life: Life, pod: Pod, *, image: str) -> Hindrance | None:
    """By the newest word of the kubelet: an older one may have been put right."""
    newest = next((notice for notice in life.reports.notices_about(pod.uid) if notice.reason in _SPOKEN), None)
    if newest is None or newest.reason in _GOES_ON:
        return None
    if newest.reason == Reason.PULLING:
        return Hindrance(
            need=Need.TIME,
            cause=Reason.PULLING,
            message=f"The node {pod.node} of worker {pod.index} pulls the image {image}.",
            prospect=Prospect.PASSES,
        )
    return _cannot_start(pod, newest)


_SPOKEN = (Reason.PULLING, _SANDBOX, *_VOLUMES, *_GOES_ON)


def _cannot_start(pod: Pod, said: Notice) -> Hindrance:
    words = f"{said.reason}. {shortened(said.message)}"
    if said.reason == _SANDBOX:
        return Hindrance(
            need=Need.VOLUMES,
            cause=Cause.FAILED_SANDBOX,
            message=f"The node {pod.node} cannot start the pod of worker {pod.index}: {words}",
            hint="Its container runtime or network is at fault: who administers the cluster has to see to that node.",
            prospect=Prospect.FREES,
        )
    return Hindrance(
        need=Need.VOLUMES,
        cause=_VOLUMES[said.reason],
        message=f"Worker {pod.index} waits for a volume on node {pod.node}: {words}",
        hint="Make what it names, if that is missing. A volume that another node still holds takes some minutes.",
        prospect=Prospect.FREES,
    )
