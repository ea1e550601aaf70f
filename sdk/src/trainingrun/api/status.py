"""`status`: what the operator says about a run. Read tolerantly: it may have been written by a newer operator."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, JsonValue, WithJsonSchema

from trainingrun.api.base import CheckpointPosition, MetricValue, Timestamp, Tolerant, shortened
from trainingrun.api.ledger import Clock, Ledger
from trainingrun.api.result import Choice, Result, TuningRecord

Name = Annotated[str, Field(max_length=253)]
Sentence = Annotated[str, shortened(1024), Field(max_length=1024)]


class Condition(Tolerant):
    """A `metav1.Condition`."""

    type: Annotated[str, Field(max_length=63, description="Kind of statement, for example Succeeded.")]
    status: Annotated[Literal["True", "False", "Unknown"], Field(description="True, False or Unknown.")]
    reason: Annotated[str, Field(max_length=63, description="Why, in one CamelCase word.")]
    message: Annotated[str, shortened(2048), Field(max_length=2048, description="Why, in a sentence.")] = ""
    last_transition_time: Annotated[Timestamp, Field(description="When status last changed.")]
    observed_generation: Annotated[int, Field(description="Generation of the spec that was judged.")] = 0


class Columns(Tolerant):
    """What `kubectl get` shows, as text."""

    status: Annotated[str, shortened(32), Field(max_length=32, description="State of the run in one word.")] = ""
    progress: Annotated[str, shortened(16), Field(max_length=16, description="Done part, for example 42%.")] = ""
    eta: Annotated[str, shortened(16), Field(max_length=16, description="Time left, for example 3m20s.")] = ""
    metric: Annotated[
        str, shortened(48), Field(max_length=48, description="Most telling metric, for example val_accuracy=0.973.")
    ] = ""
    workers: Annotated[str, shortened(16), Field(max_length=16, description="Ready and wanted workers, for example 2/2.")] = ""


class Failure(Tolerant):
    """Why an attempt, or the whole run, failed."""

    cause: Annotated[str, Field(max_length=63, description="Cause in one CamelCase word, for example OOMKilled.")]
    message: Annotated[str, shortened(2048), Field(max_length=2048, description="What happened, where, and the way out.")] = ""
    attempt: Annotated[int, Field(description="Attempt that failed.")] = 0
    rank: Annotated[int | None, Field(description="Rank that failed first, if known.")] = None
    worker: Annotated[int | None, Field(description="Index of the worker that failed first.")] = None
    node: Annotated[Name | None, Field(description="Node of that worker.")] = None
    exit_code: Annotated[int | None, Field(description="Exit code of its container.")] = None
    signal: Annotated[int | None, Field(description="Signal that ended the rank.")] = None
    hint: Annotated[Sentence, Field(description="What to change, in a sentence.")] = ""
    log_tail: Annotated[
        str, shortened(4096), Field(max_length=4096, description="Last lines of the log of the failed worker.")
    ] = ""


class StopReason(StrEnum):
    """What happens once the pods of a stopped attempt are gone."""

    SUSPEND = "Suspend"
    RESTART = "Restart"
    RERUN = "Rerun"
    FAIL = "Fail"


class Stopping(Tolerant):
    """The written intent to stop an attempt; carried out only after it has been read back."""

    attempt: Annotated[int, Field(description="Attempt that is stopped.")]
    reason: Annotated[StopReason, Field(description="What follows: Suspend, Restart, Rerun or Fail.")]
    failure: Annotated[Failure | None, Field(description="Why, if something went wrong.")] = None
    counts_as_restart: Annotated[bool, Field(description="Whether it uses up one of the maximum restarts.")] = False


class Cleanup(Tolerant):
    """The written intent to remove what a run that has ended left, where that would not end by itself."""

    attempt: Annotated[int, Field(description="Attempt whose Job is deleted.")]


class Checkpoint(CheckpointPosition):
    """Newest checkpoint of the run, and the attempt that wrote it."""

    attempt: Annotated[int, Field(description="Attempt that wrote it.")] = 0
    written_at: Annotated[Timestamp | None, Field(description="When it was reported; what comes after it can be lost.")] = None


class ResolvedPreset(Tolerant):
    """The preset as it was when the attempt was created; what became of it since does not matter to the attempt."""

    name: Annotated[Name, Field(description="Name of the TrainingPreset.")]
    generation: Annotated[int, Field(description="Its metadata.generation, which begins anew when it is created again.")] = 0
    hash: Annotated[str, Field(max_length=64, description="SHA-256 of its spec: equal for equal presets.")] = ""
    spec: Annotated[
        dict[str, JsonValue] | None,
        WithJsonSchema({"type": "object", "x-kubernetes-preserve-unknown-fields": True}),
        Field(description="Its spec, but for what is empty."),
    ] = None


class Resolved(Tolerant):
    """What applies to the current attempt; pinned when the attempt is created."""

    image: Annotated[str, Field(max_length=512, description="Trainer image.")]
    strategy: Annotated[str, Field(max_length=32, description="Horovod, TPU or Single.")]
    replicas: Annotated[int, Field(description="Number of worker pods.")]
    processes_per_worker: Annotated[int, Field(description="Ranks in each worker pod.")]
    accelerator: Annotated[str | None, Field(max_length=16, description="GPU or TPU; absent on CPUs.")] = None
    accelerators: Annotated[int, Field(description="GPUs or TPU chips of all workers together.")] = 0
    global_batch_size: Annotated[
        int | None, Field(description="Samples per step of all ranks together; absent while training.batchSize is Auto.")
    ] = None
    preset: Annotated[ResolvedPreset | None, Field(description="The preset of spec.preset, as it applies.")] = None
    coordinator: Annotated[
        str | None, Field(max_length=64, description="ClusterIP of the rendezvous Service, with several workers.")
    ] = None


class TrainerRecord(Tolerant):
    """What a trainer image has said of itself."""

    image: Annotated[str, Field(max_length=512, description="Trainer image.")]
    contract_version: Annotated[
        int, Field(ge=1, description="Version of the contract with the operator that it speaks: what it can be asked for.")
    ]


class Progress(Tolerant):
    """How far the run is, and its current stage. `updatedAt` tells how old the numbers are."""

    stage: Annotated[str, Field(max_length=32, description="Stage that is measured.")]
    epoch: Annotated[int, Field(description="Finished epochs of the stage.")] = 0
    epochs: Annotated[int, Field(description="Epochs of the stage, at most.")] = 0
    step: Annotated[int, Field(description="Optimizer steps done.")] = 0
    steps: Annotated[int, Field(description="Optimizer steps of the stage, at most.")] = 0
    percent: Annotated[int, Field(ge=0, le=100, description="Done part of the whole run; 100 once it has succeeded.")] = 0
    eta_seconds: Annotated[int | None, Field(description="Estimated seconds left of the whole run.")] = None
    stage_percent: Annotated[int | None, Field(ge=0, le=100, description="Done part of the stage.")] = None
    stage_eta_seconds: Annotated[int | None, Field(description="Estimated seconds left of the stage.")] = None
    epoch_milliseconds: Annotated[
        int | None, Field(description="Measured time of an epoch of training; stages to come are estimated by it.")
    ] = None
    samples_per_second: Annotated[int | None, Field(description="Training samples per second, all ranks.")] = None
    metrics: Annotated[
        tuple[MetricValue, ...],
        Field(max_length=16, description="Newest metrics, averaged over all ranks."),
    ] = ()
    updated_at: Annotated[Timestamp | None, Field(description="When the trainer measured this.")] = None


class Timeline(Tolerant):
    """Moments of the current attempt's start."""

    created: Annotated[Timestamp | None, Field(description="Attempt's objects created.")] = None
    scheduled: Annotated[Timestamp | None, Field(description="Last worker bound to a node.")] = None
    container_started: Annotated[Timestamp | None, Field(description="Last worker's container started.")] = None
    rendezvous_done: Annotated[Timestamp | None, Field(description="All workers have met.")] = None
    tensorflow_ready: Annotated[Timestamp | None, Field(description="All ranks have TensorFlow and Horovod.")] = None
    first_step: Annotated[Timestamp | None, Field(description="First optimizer step done.")] = None


class Outcome(StrEnum):
    """How an attempt ended."""

    SUCCEEDED = "Succeeded"
    SUSPENDED = "Suspended"
    RESTARTED = "Restarted"
    REPLACED = "Replaced"
    """By a rerun."""
    FAILED = "Failed"


class PastAttempt(Tolerant):
    """One line of the run's history."""

    round: Annotated[int, Field(description="Round that the attempt belongs to.")] = 1
    attempt: Annotated[int, Field(description="Number of the attempt, from 1.")]
    outcome: Annotated[
        str, Field(max_length=32, description="Succeeded, Suspended, Restarted, Replaced (by a rerun) or Failed.")
    ]
    cause: Annotated[str, Field(max_length=63, description="Cause of a failure, for example OOMKilled.")] = ""
    message: Annotated[str, shortened(256), Field(max_length=256, description="What happened, shortened.")] = ""
    epoch: Annotated[int, Field(description="Finished epochs in the newest checkpoint by then.")] = 0
    start_time: Annotated[Timestamp | None, Field(description="When the attempt began.")] = None
    completion_time: Annotated[Timestamp | None, Field(description="When the attempt had ended.")] = None


class TrainingRunStatus(Tolerant):
    """The operator's view of a run. Conditions carry the truth; stage and columns are for people."""

    observed_generation: Annotated[int, Field(description="Generation of the spec that this status is about.")] = -1
    conditions: Annotated[
        tuple[Condition, ...],
        Field(
            max_length=16,
            description="Succeeded, Ready, Reconciling, Stalled, Suspended, Admitted, PodsReady, and with spec.acceptance "
            "ModelAccepted.",
            json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
        ),
    ] = ()
    columns: Annotated[Columns | None, Field(description="What kubectl get shows.")] = None
    stage: Annotated[
        str,
        Field(
            max_length=32,
            description="Queued, Starting, Choosing, Tuning, Training, Pruning, Quantizing, Evaluating or Finished.",
        ),
    ] = ""
    round: Annotated[int, Field(description="Grows when the run is run again.")] = 1
    attempt: Annotated[int, Field(description="Number of the current attempt; only grows.")] = 0
    rerun: Annotated[str, Field(max_length=63, description="Value of spec.rerun that was seen last.")] = ""
    restarts: Annotated[int, Field(description="Restarts counted against recovery.maximumRestarts.")] = 0
    fruitless_attempts: Annotated[
        int,
        Field(description="Attempts in a row that left no progress, counted as restarts or not: the back-off grows with it."),
    ] = 0
    retry_at: Annotated[Timestamp | None, Field(description="When the next attempt starts, while backing off.")] = None
    waiting_since: Annotated[Timestamp | None, Field(description="Since when the run waits for what its message says.")] = None
    start_time: Annotated[Timestamp | None, Field(description="When the first attempt was created.")] = None
    completion_time: Annotated[Timestamp | None, Field(description="When the run succeeded or failed.")] = None
    clock: Annotated[Clock | None, Field(description="Running time so far.")] = None
    stopping: Annotated[Stopping | None, Field(description="Intent to stop the current attempt.")] = None
    cleanup: Annotated[
        Cleanup | None,
        Field(
            description="Intent to delete the Job of a finished run, which a queue would start again, or whose pods live on."
        ),
    ] = None
    checkpoint: Annotated[Checkpoint | None, Field(description="Newest checkpoint on the output.")] = None
    resolved: Annotated[Resolved | None, Field(description="What applies to the current attempt.")] = None
    trainer: Annotated[TrainerRecord | None, Field(description="The trainer image that has spoken last.")] = None
    choices: Annotated[
        tuple[Choice, ...],
        Field(
            max_length=8,
            description="Values that are Auto in the spec, as they were found, of which result.json has all measurements; "
            "and the learning rate of each stage on all ranks.",
            json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
        ),
    ] = ()
    progress: Annotated[Progress | None, Field(description="How far the run is, and its current stage.")] = None
    tuning: Annotated[TuningRecord | None, Field(description="How far the search for parameters is, and what it found.")] = None
    timeline: Annotated[Timeline | None, Field(description="Moments of the current attempt's start.")] = None
    ledger: Annotated[Ledger | None, Field(description="Where the time of this round went.")] = None
    history: Annotated[
        tuple[PastAttempt, ...],
        Field(
            max_length=5,
            description="The last attempts that have ended, the newest last.",
            json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["attempt"]},
        ),
    ] = ()
    result: Annotated[Result | None, Field(description="What the finished run achieved.")] = None
    failure: Annotated[Failure | None, Field(description="Last failure of an attempt or of the run.")] = None

    def condition(self, kind: str) -> Condition | None:
        """The condition of this type, if it has been set."""
        return next((condition for condition in self.conditions if condition.type == kind), None)

    @property
    def is_finished(self) -> bool:
        """Whether the run has succeeded or failed, which is final."""
        succeeded = self.condition("Succeeded")
        return succeeded is not None and succeeded.status != "Unknown"
