"""Every word that says why a run fails, starts anew or waits: what has happened, what follows, and how it reads.

`docs/how-to/failures.md` is generated from here, and the policies ask here what follows from a cause.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from trainingrun.contract import Cause


class Reason(StrEnum):
    """Why a run waits, where that is no failure: reason of its conditions."""

    CLAIM_NOT_FOUND = "ClaimNotFound"
    CLAIM_NOT_SHAREABLE = "ClaimNotShareable"
    CONFIG_MAP_NOT_FOUND = "ConfigMapNotFound"
    SECRET_NOT_FOUND = "SecretNotFound"
    PRESET_NOT_FOUND = "PresetNotFound"
    PRESET_UNREADABLE = "PresetUnreadable"
    PRESET_OVERSTEPPED = "PresetOverstepped"
    PRESET_CONFLICT = "PresetConflict"
    IMAGE_NOT_GIVEN = "ImageNotGiven"
    NAME_CONFLICT = "NameConflict"
    WAIT_FOR_CLEANUP = "WaitForCleanup"
    FORBIDDEN = "Forbidden"
    NO_KUEUE = "NoKueue"
    TRIGGERED_SCALE_UP = "TriggeredScaleUp"
    PULLING = "Pulling"
    WAITING_FOR_NODE = "WaitingForNode"
    OPERATOR_TOO_OLD = "OperatorTooOld"
    DEFECT = "Defect"


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
        "a worker used more than its memory limit",
        Follows.RESTARTS,
        "Worker 1 used more memory than its limit of 2Gi.",
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
        "the loss became NaN or infinite; lower the learning rate",
        Follows.RESTARTS,
        "The loss became nan in epoch 2, with spec.training.learningRate 9.8.",
    ),
    Cause.HANG: Explanation(
        "no progress for `recovery.hangTimeoutSeconds`; the ranks' stacks are on the output, beside the log",
        Follows.RESTARTS,
        "Nothing has been done for 600 s (spec.recovery.hangTimeoutSeconds): Training has stood still at step 40 of 500.",
    ),
    Cause.DATA_UNAVAILABLE: Explanation(
        "the server of the data does not answer, or its Secret is not there yet",
        Follows.RESTARTS,
        "The Secret bucket (spec.data.source.secretName) does not exist, or is empty.",
    ),
    Cause.OUTPUT_FAILED: Explanation(
        "the output is full, not writable, or does not answer",
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
        "a container ended without a word; the message has its exit code and signal",
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
        "the kubelet or the eviction API removed a pod",
        Follows.FREELY,
        'The kubelet evicted worker 0: Usage of EmptyDir volume "scratch" exceeds the limit "1Gi".',
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

REASONS: Mapping[Reason, Explanation] = {
    Reason.CLAIM_NOT_FOUND: Explanation(
        "a PersistentVolumeClaim that the run names is missing",
        "`Stalled` after the start time-out; creating it starts the run",
        "There is no PersistentVolumeClaim models (spec.output.persistentVolumeClaim.claimName) in namespace team: create it, "
        "and the run starts by itself.",
    ),
    Reason.CLAIM_NOT_SHAREABLE: Explanation(
        "a claim is for one pod only, and there are several workers",
        "as above",
        "The PersistentVolumeClaim models (spec.output.persistentVolumeClaim.claimName) is ReadWriteOncePod, but "
        "spec.workers.replicas is 2.",
    ),
    Reason.CONFIG_MAP_NOT_FOUND: Explanation(
        "a ConfigMap that the run names is missing",
        "as above",
        "There is no ConfigMap network (spec.model.entrypoint.configMapName) in namespace team.",
    ),
    Reason.SECRET_NOT_FOUND: Explanation(
        "a Secret that the run names is missing, where the operator may look: see [object storage](object-storage.md)",
        "as above",
        "There is no Secret bucket (spec.output.secretName) in namespace team.",
    ),
    Reason.PRESET_NOT_FOUND: Explanation(
        "the [preset](presets.md) is missing",
        "as above",
        "There is no TrainingPreset small (spec.preset).",
    ),
    Reason.PRESET_UNREADABLE: Explanation(
        "the operator may not read presets, or this one is newer than it",
        "as above",
        "TrainingPreset small (spec.preset) cannot be read: the operator lacks the permission to get trainingpresets.",
    ),
    Reason.PRESET_OVERSTEPPED: Explanation(
        "the run asks for more than its preset allows",
        "as above; changing either starts it",
        "spec.workers.replicas is 8, but TrainingPreset small allows at most 4 (limits.mostWorkers).",
    ),
    Reason.PRESET_CONFLICT: Explanation(
        "the preset's values and the run's do not go together",
        "as above; changing either starts it",
        "With TrainingPreset small, spec.workers.env cannot be: Tuple should have at most 64 items.",
    ),
    Reason.IMAGE_NOT_GIVEN: Explanation(
        "the run asks for GPUs or TPU chips, and nobody has said which image can use them",
        "as above",
        "spec.workers.accelerator asks for a GPU, but the operator has no trainer image for GPUs.",
    ),
    Reason.NAME_CONFLICT: Explanation(
        "an object of somebody else has the name of one of the run's",
        "never touches it; asks again every minute",
        "The Service digits-1 exists and belongs to somebody else: delete it, or give the TrainingRun another name.",
    ),
    Reason.WAIT_FOR_CLEANUP: Explanation(
        "pods of an earlier run of this name still end",
        "starts when they have",
        "Waiting until the objects of the deleted TrainingRun of this name are gone: digits-1-0.",
    ),
    Reason.FORBIDDEN: Explanation(
        "a quota or policy forbids an object of the run, as it is now",
        "tries again every 30 s",
        "The Job of attempt 1 may not be created now: exceeded quota: team.",
    ),
    Reason.NO_KUEUE: Explanation(
        "the run names a queue, and the cluster has no Kueue",
        "waits",
        "there is no Kueue in the cluster. Install it, or remove the label kueue.x-k8s.io/queue-name.",
    ),
    Reason.TRIGGERED_SCALE_UP: Explanation(
        "the cluster autoscaler or Karpenter adds a node",
        "waits, without a time-out",
        "Worker 0 waits for a node that is being added: pod triggered scale-up: [{gpus 2->3 (max: 8)}]",
    ),
    Reason.PULLING: Explanation(
        "a node pulls the image",
        "waits, without a time-out",
        "The node gpu-7 of worker 0 pulls the image registry.example/team/trainer:7 (spec.image).",
    ),
    Reason.WAITING_FOR_NODE: Explanation(
        "the node of a worker does not answer",
        "waits until it comes back, or with `recovery.lostNode: Replace` until the pod's grace period is over",
        "The node gpu-7 of worker 0 does not answer; waiting until it comes back.",
    ),
    Reason.OPERATOR_TOO_OLD: Explanation(
        "the run has a field that the operator does not know: the CRD is newer than the operator",
        "`Stalled`; pods go on, and the operator that knows the field goes on with the run",
        "This operator does not know what spec.workers.placement says (Extra inputs are not permitted): it is older than "
        "the CRD, or than the run.",
    ),
    Reason.DEFECT: Explanation(
        "a fault of the operator; its log has the details",
        "`Stalled`; pods go on, and `spec.suspend`, a new `spec.rerun` and deleting work all the same",
        "A defect of the operator, not of the run: KeyError: 'mnist'.",
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
