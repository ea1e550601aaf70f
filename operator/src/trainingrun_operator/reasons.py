"""Every reason why a run waits, where that is no failure: what has happened, what follows, and how it reads."""

from collections.abc import Mapping
from enum import StrEnum

from trainingrun_operator.causes import Explanation


class Reason(StrEnum):
    """A word for it: the reason of the run's conditions."""

    CLAIM_NOT_FOUND = "ClaimNotFound"
    CLAIM_NOT_SHAREABLE = "ClaimNotShareable"
    CONFIG_MAP_NOT_FOUND = "ConfigMapNotFound"
    SECRET_NOT_FOUND = "SecretNotFound"
    PRESET_NOT_FOUND = "PresetNotFound"
    PRESET_UNREADABLE = "PresetUnreadable"
    PRESET_OVERSTEPPED = "PresetOverstepped"
    PRESET_CONFLICT = "PresetConflict"
    INVALID_VALUE = "InvalidValue"
    IMAGE_NOT_GIVEN = "ImageNotGiven"
    TRAINER_TOO_OLD = "TrainerTooOld"
    NAME_CONFLICT = "NameConflict"
    WAIT_FOR_CLEANUP = "WaitForCleanup"
    FORBIDDEN = "Forbidden"
    NO_KUEUE = "NoKueue"
    TRIGGERED_SCALE_UP = "TriggeredScaleUp"
    PULLING = "Pulling"
    WAITING_FOR_NODE = "WaitingForNode"
    OPERATOR_TOO_OLD = "OperatorTooOld"
    DEFECT = "Defect"


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
    Reason.INVALID_VALUE: Explanation(
        "the spec has a value that no trainer can use, of a kind that the API server cannot judge",
        "`Stalled` after the start time-out; another value, together with a new `spec.rerun`, starts the run",
        "spec.model.parameters has units, and those of model.builtin are activation, dropout, hiddenUnits, filters, "
        "kernelSize: correct or remove it.",
    ),
    Reason.IMAGE_NOT_GIVEN: Explanation(
        "the run asks for GPUs or TPU chips, and nobody has said which image can use them",
        "as above",
        "spec.workers.accelerator asks for a GPU, but the operator has no trainer image for GPUs.",
    ),
    Reason.TRAINER_TOO_OLD: Explanation(
        "the run has a field that its trainer image does not know, as it has said itself: the image is older than the operator",
        "`Stalled` after the start time-out; changing either starts it",
        "The trainer image team/trainer:1 speaks version 1 of the contract with the operator, but spec.training.precision "
        "needs version 2.",
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
        "a quota or policy forbids an object of the run, as it is now, or the operator lacks a permission, which it names",
        "tries again every 30 s; `Stalled` after the start time-out, unless it is a quota",
        "The Job of attempt 1 may not be created now: exceeded quota: team. Free some quota, or ask who administers the "
        "namespace. It is tried again every 30 s.",
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
