"""Every cause of a failed attempt: what has happened, what follows, and how it reads. `reasons` has those of waiting.

`docs/how-to/failures.md` is generated from here, and the policies ask here what follows from a cause.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from trainingrun.contract import Cause


class Follows(StrEnum):
    """What the operator does about a cause."""

    FAILS = "the run fails at once: trying again is useless"
    RESTARTS = "restarts from the newest checkpoint"
    FREELY = "restarts, and uses up none of `recovery.maximumRestarts`"


@dataclass(frozen=True)
class Explanation:
    """A row of the page."""

    happened: str
    follows: Follows | str
    example: str
    """As `kubectl get trun NAME -o yaml` shows it, where people's names and numbers differ."""


CAUSES: Mapping[Cause, Explanation] = {
    Cause.BAD_CONFIG: Explanation(
        "the specification cannot work",
        Follows.FAILS,
        "spec.model.entrypoint.function: KeyError: 'units'.",
    ),
    Cause.BAD_DATA: Explanation(
        "the data is not what the format promises, or not there",
        Follows.FAILS,
        "/data/mnist-1k does not exist. There is: mnist-10k/.",
    ),
    Cause.NOT_ACCEPTED: Explanation(
        "the model misses `spec.acceptance`; `ModelAccepted` says by how much",
        Follows.FAILS,
        "No model is accepted. pruned-0.9-int8 has accuracy 0.9620, below acceptance.minimum 0.98.",
    ),
    Cause.TUNING_FAILED: Explanation(
        "every trial of the search failed; the message names the first cause",
        Follows.FAILS,
        "None of the 6 trials of spec.tuning came to its end: 6 failed and 0 were ended early. The first: NotANumber: The loss "
        "became nan in epoch 1.",
    ),
    Cause.DEADLINE_EXCEEDED: Explanation(
        "`activeDeadlineSeconds` of running are over",
        Follows.FAILS,
        "The run has been running for 3600 s, and spec.activeDeadlineSeconds is 3600.",
    ),
    Cause.REFUSED: Explanation(
        "the API server refuses an object of the run as invalid",
        "the run fails; correct it together with a new `spec.rerun`",
        "The API server refuses the Job of attempt 1: spec.template.spec.containers[0].resources.limits: Invalid value.",
    ),
    Cause.OUT_OF_MEMORY: Explanation(
        "the memory of a worker, or of its GPU, was not enough",
        Follows.RESTARTS,
        "Worker 1 used more memory than its limit of 2Gi.",
    ),
    Cause.STORAGE_EXCEEDED: Explanation(
        "a worker wrote more to its node's disk than it may, for example to `workers.scratch`",
        Follows.RESTARTS,
        'The kubelet evicted worker 0: Usage of EmptyDir volume "scratch" exceeds the limit "1Gi".',
    ),
    Cause.RANK_KILLED: Explanation(
        "somebody, or the kernel, ended a training process", Follows.RESTARTS, "Rank 1 was ended by signal 9 (SIGKILL)."
    ),
    Cause.RANK_FAILED: Explanation(
        "a training process ended with an error",
        Follows.RESTARTS,
        "Rank 0 ended with exit code 134 and without a word. Its last lines are in the log.",
    ),
    Cause.WEIGHTS_DIVERGED: Explanation(
        "the ranks did not train one model: a defect of the image",
        Follows.RESTARTS,
        "The trainable weights of ranks 3 differ from those of rank 0 after epoch 1, by 2.1e-01 of their size: the gradients "
        "were not averaged over all ranks.",
    ),
    Cause.NOT_A_NUMBER: Explanation(
        "the loss became NaN or infinite; lower the learning rate, for the next attempt would compute the same",
        Follows.FAILS,
        "The loss became nan in epoch 2, with spec.training.optimizer.learningRate 9.8, which is 19.6 on all ranks.",
    ),
    Cause.HANG: Explanation(
        "no progress for `recovery.hangTimeoutSeconds`; the ranks' stacks are on the output, beside the log",
        Follows.RESTARTS,
        "Nothing has been done for 600 s (spec.recovery.hangTimeoutSeconds): Training has stood still at step 40 of 500.",
    ),
    Cause.DATA_UNAVAILABLE: Explanation(
        "the data does not answer for minutes, or its Secret is not there yet",
        Follows.RESTARTS,
        "The Secret bucket (spec.data.source.secretName) does not exist, or is empty.",
    ),
    Cause.OUTPUT_FAILED: Explanation(
        "the output is full, not writable, or does not answer for minutes",
        Follows.RESTARTS,
        "The output cannot be written at /output/digits: No space left on device.",
    ),
    Cause.SUPERSEDED: Explanation(
        "an attempt on a lost node went on beside the next one, and has ended",
        "nothing: the newer attempt counts",
        "Attempt 2 ends: attempt 3 of this run has taken over the output, at pvc://models/digits.",
    ),
    Cause.RENDEZVOUS_FAILED: Explanation(
        "the workers did not meet: a network policy, a firewall, or no DNS between them",
        Follows.RESTARTS,
        "Workers 1 have not come within 600 s.",
    ),
    Cause.INTERNAL: Explanation(
        "a defect of the trainer; the log's last lines are in `status.failure.logTail`",
        Follows.RESTARTS,
        "The agent of worker 0 failed: ValueError().",
    ),
    Cause.POD_FAILED: Explanation(
        "a container ended without a word; the message has its exit code, and its signal or the end of its log",
        Follows.RESTARTS,
        "Worker 1 ended with exit code 137 and left no final record. Its container was ended by signal 9.",
    ),
    Cause.RESULT_LOST: Explanation(
        "all workers have finished, but worker 0's report is gone with its pod; the next attempt reports again",
        Follows.RESTARTS,
        "All workers of attempt 1 have finished, but the report of worker 0 is lost with its pod.",
    ),
    Cause.JOB_DELETED: Explanation(
        "somebody deleted the Job; `spec.suspend` pauses a run", Follows.RESTARTS, "The Job of attempt 1 was deleted."
    ),
    Cause.PEER_LOST: Explanation(
        "workers have lost one another, and none knows why; one that says nothing is waited for, as its node may be lost",
        Follows.FREELY,
        "Another worker failed, so this one stopped. Its own record says why.",
    ),
    Cause.INTERRUPTED: Explanation(
        "the pods were told to end, and not by the operator",
        Follows.FREELY,
        "Told to stop in epoch 3, step 40; the state is saved.",
    ),
    Cause.POD_DELETED: Explanation(
        "somebody deleted a pod, or drained its node",
        Follows.FREELY,
        "The pod of worker 1 was deleted, and left no word why.",
    ),
    Cause.PREEMPTED: Explanation(
        "a pod with a higher priority needed the place",
        Follows.FREELY,
        "Worker 0 was removed from its node: PreemptionByScheduler.",
    ),
    Cause.EVICTED: Explanation(
        "the kubelet or the eviction API removed a pod: the node is low on something, shuts down, or is drained",
        Follows.FREELY,
        "Worker 0 was removed from its node: TerminationByKubelet. The node was low on resource: memory.",
    ),
    Cause.POD_REJECTED: Explanation(
        "the kubelet of a node does not take a pod that was placed there: for its room, devices, labels or pressure",
        Follows.FREELY,
        "The node gpu-7 has rejected worker 1: UnexpectedAdmissionError. Allocate failed due to no healthy devices present; "
        "cannot allocate unhealthy devices nvidia.com/gpu, which is unexpected.",
    ),
    Cause.NODE_LOST: Explanation(
        "a node does not answer any more", Follows.FREELY, "The node gpu-7 of worker 0 does not answer."
    ),
    Cause.QUOTA_EXCEEDED: Explanation(
        "a ResourceQuota has no room for the pods",
        "waits, without a time-out; a gang of which a part has its pods frees them after `recovery.startTimeoutSeconds`. "
        "`Stalled` when the quota can never hold all workers",
        'Pods of attempt 1 may not be made: pods "digits-1-0" is forbidden: exceeded quota: team, requested: requests.cpu=2, '
        "used: requests.cpu=9, limited: requests.cpu=10. They are made as soon as the quota has room for them.",
    ),
    Cause.FAILED_CREATE: Explanation(
        "the pods may not be made: a LimitRange, Pod Security, an admission webhook or policy, or a PriorityClass, "
        "ServiceAccount or RuntimeClass that is not there",
        "waits; `Stalled` after `recovery.startTimeoutSeconds`, and goes on once they may be made",
        'Pods of attempt 1 may not be made: pods "digits-1-0" is forbidden: no PriorityClass with name urgent was found. Make '
        "or allow what it names, and they are made within a minute.",
    ),
    Cause.CLAIM_NOT_BOUND: Explanation(
        "no volume is bound to a claim of the run",
        "waits, frees what it holds after the start time-out, tries again for ever",
        "Worker 0 waits for the PersistentVolumeClaim models (spec.output.persistentVolumeClaim.claimName) of class fast, "
        "which is Pending: no volume is bound to it.",
    ),
    Cause.UNSCHEDULABLE: Explanation(
        "no node fits; where none ever could, the message names what is needed and what "
        "[the nodes have](gpu.md#when-no-node-fits)",
        "waits, frees what it holds after the start time-out, tries again for ever",
        "Worker 0 fits no node: it needs 4 GPUs on one node; the largest has 1, on 1 node.",
    ),
    Cause.FAILED_MOUNT: Explanation(
        "a volume cannot be mounted: what it names is missing, or its server does not answer",
        "waits, frees what it holds after the start time-out, tries again for ever",
        'Worker 1 waits for a volume on node gpu-7: FailedMount. MountVolume.SetUp failed for volume "token" : secret "token" '
        "not found. Make what it names, if that is missing.",
    ),
    Cause.FAILED_ATTACH_VOLUME: Explanation(
        "a volume is not attached to the node yet, most often because another node still holds it",
        "waits, frees what it holds after the start time-out, tries again for ever",
        'Worker 0 waits for a volume on node gpu-7: FailedAttachVolume. Multi-Attach error for volume "pvc-1" Volume is '
        "already used by pod(s) other-0",
    ),
    Cause.FAILED_SANDBOX: Explanation(
        "the node cannot start pods: its runtime or its network is at fault",
        "waits, frees what it holds after the start time-out, tries again for ever",
        "The node gpu-7 cannot start the pod of worker 0: FailedCreatePodSandBox. cni plugin not initialized",
    ),
    Cause.IMAGE_PULL: Explanation(
        "a node cannot get the image",
        "waits `recovery.startTimeoutSeconds`, then restarts, which counts",
        "Worker 0 waits for the image registry.example/team/trainer:7 (spec.image): ErrImagePull. not found",
    ),
    Cause.CONTAINER_CREATE: Explanation(
        "a container cannot be made, for example for a variable from a Secret that is not there",
        "waits `recovery.startTimeoutSeconds`, then restarts, which counts",
        'The container of worker 0 cannot be made: CreateContainerConfigError. secret "token" not found',
    ),
    Cause.START_TIMEOUT: Explanation(
        "the containers run, but the workers did not become ready within `recovery.startTimeoutSeconds`",
        Follows.RESTARTS,
        "Not all workers were ready within spec.recovery.startTimeoutSeconds (600 s). 1 of 2 workers of attempt 1 are ready.",
    ),
}


def is_final(cause: str) -> bool:
    """Whether trying again is useless: the next attempt would end in the same way."""
    return _follows(cause) is Follows.FAILS


def is_nobodys_fault(cause: str) -> bool:
    """Whether a restart for this cause uses up none of those that a run has."""
    return _follows(cause) is Follows.FREELY


def _follows(cause: str) -> Follows | str:
    known = CAUSES.get(Cause(cause)) if cause in list(Cause) else None
    return known.follows if known is not None else Follows.RESTARTS
