"""The contract between the operator and the trainer: environment, files, ports, exit codes and messages.

Both sides import this module and nothing of each other. It holds values only: no I/O, no clock.

In a worker pod:
  - `TRAININGRUN_CONFIG` names the JSON file with the `AttemptConfig` (an immutable ConfigMap, mounted read-only);
  - `TRAININGRUN_COORDINATOR` is `host:port`, of IPv6 `[host]:port`, of the rendezvous store that worker 0 serves (absent with
    one worker);
  - `JOB_COMPLETION_INDEX` is the worker's index (set by the Job controller);
  - the data claim is mounted read-only at `DATA_MOUNT` and the output claim at `OUTPUT_MOUNT`, both at the claim's
    root: the paths inside come from the configuration;
  - what it takes to reach a uri is mounted read-only at `DATA_ACCESS_MOUNT` and `OUTPUT_ACCESS_MOUNT`: the keys of the
    Secret as files, and `CERTIFICATE_AUTHORITY_FILE`. What is missing in the cluster is missing there;
  - a ConfigMap with the user's network is mounted read-only at `CODE_MOUNT`, which then comes first on Python's path;
  - with `accelerator` each worker has `accelerators_per_worker` devices: GPUs, one for each rank in the order of local ranks,
    or the chips of a TPU, all for its one rank, with `TPU_WORKER_ID` and `TPU_WORKER_HOSTNAMES` as libtpu reads them;
  - with `Transport.MPI`, `MPI_MOUNT` is a folder in memory of this pod alone, for keys and places, and with several workers
    `TRAININGRUN_TOKEN` is a secret of the attempt: what the agents tell each other about their keys is sealed with it;
  - only `/tmp`, the output and the volumes of the user are writable, and `MPI_MOUNT`.

Every worker serves HTTP on `PROGRESS_PORT`: `GET /healthz` (200 as long as the agent lives) and `GET /readyz` (200 once
all ranks of this worker are initialised, 503 before). Worker 0 also serves `GET /progress` (a `ProgressReport`, JSON). Its
`updated_at` moves when something of the stage has been done by all ranks, or while one waits for storage that does not answer
(for some minutes at most), and at no other time: a report that stays the same is a hang. `POST` to `STACKS_PATH` makes a worker
write the Python stacks of all its ranks into its log and at once to `<run>/logs/<attempt>/<worker>.stacks.txt` on the output.
It answers 200 within about 2 s, with the ranks that were asked and, among them, those that did not answer:
`{"ranks": [2, 3], "silent": [3]}`.

A checkpoint is newer than another by its stage, then by its epoch and step, which count from 0 over the whole of a stage: with
several sparsities on through all of them. Trials that have ended are not repeated: they count as progress, as checkpoints do.

SIGTERM begins the grace period: the ranks save a checkpoint and end with `ExitCode.INTERRUPTED`, and those that have not ended
some seconds before `termination_grace_period_seconds` are over are killed. Only the newest attempt of a run publishes: an
older one that still runs, on a node that was given up, ends with `Cause.SUPERSEDED` at its next checkpoint.

Operator and image may be of different releases: `trainingrun.contract_version` says how that goes.

Every agent ends by writing a `FinalRecord` as its termination message, at most `TERMINATION_MESSAGE_LIMIT` bytes.
"""

from enum import IntEnum, StrEnum
from typing import Annotated, Any

from pydantic import Field, model_validator

from trainingrun.api.accelerator import AcceleratorKind
from trainingrun.api.acceptance import Acceptance
from trainingrun.api.augmentation import Augmentation
from trainingrun.api.base import CheckpointPosition, Frozen, MetricValue, Timestamp, Tolerant
from trainingrun.api.compression import Compression
from trainingrun.api.data import Data
from trainingrun.api.model import Model
from trainingrun.api.output import Output
from trainingrun.api.result import Choice, Result, TuningStatus
from trainingrun.api.strategy import GradientCompression, StrategyType, Transport
from trainingrun.api.training import Training
from trainingrun.api.tuning import Tuning
from trainingrun.contract_version import heard
from trainingrun.mounts import CODE_MOUNT as CODE_MOUNT
from trainingrun.mounts import CONFIG_MOUNT as CONFIG_MOUNT
from trainingrun.mounts import DATA_ACCESS_MOUNT as DATA_ACCESS_MOUNT
from trainingrun.mounts import DATA_MOUNT as DATA_MOUNT
from trainingrun.mounts import MPI_MOUNT as MPI_MOUNT
from trainingrun.mounts import OUTPUT_ACCESS_MOUNT as OUTPUT_ACCESS_MOUNT
from trainingrun.mounts import OUTPUT_MOUNT as OUTPUT_MOUNT
from trainingrun.mounts import SCRATCH_MOUNT as SCRATCH_MOUNT
from trainingrun.mounts import SHARED_MEMORY_MOUNT as SHARED_MEMORY_MOUNT

CONFIG_VARIABLE = "TRAININGRUN_CONFIG"
COORDINATOR_VARIABLE = "TRAININGRUN_COORDINATOR"
TOKEN_VARIABLE = "TRAININGRUN_TOKEN"
WORKER_INDEX_VARIABLE = "JOB_COMPLETION_INDEX"

CONFIG_FILE = "config.json"
CERTIFICATE_AUTHORITY_FILE = "certificate-authority/bundle.pem"
TERMINATION_MESSAGE_PATH = "/dev/termination-log"
TERMINATION_MESSAGE_LIMIT = 4096

RENDEZVOUS_PORT = 29500
PROGRESS_PORT = 8080
SSH_PORT = 2222
STACKS_PATH = "/stacks"


class ExitCode(IntEnum):
    """Exit codes of the agent (after sysexits). 64, 65 and 66 are never retried, nor is
    `Cause.TUNING_FAILED` or `Cause.NOT_A_NUMBER` with any code."""

    SUCCEEDED = 0
    BAD_CONFIG = 64
    BAD_DATA = 65
    NOT_ACCEPTED = 66
    PEER_LOST = 69
    INTERNAL = 70
    INTERRUPTED = 75


class Stage(StrEnum):
    """Stages as people see them. Queued and Starting belong to the operator, the others to the trainer."""

    QUEUED = "Queued"
    STARTING = "Starting"
    CHOOSING = "Choosing"
    TUNING = "Tuning"
    TRAINING = "Training"
    PRUNING = "Pruning"
    QUANTIZING = "Quantizing"
    EVALUATING = "Evaluating"
    FINISHED = "Finished"


class Cause(StrEnum):
    """Why an attempt failed."""

    BAD_CONFIG = "BadConfig"
    BAD_DATA = "BadData"
    NOT_ACCEPTED = "NotAccepted"
    TUNING_FAILED = "TuningFailed"
    OUT_OF_MEMORY = "OOMKilled"
    RANK_KILLED = "RankKilled"
    RANK_FAILED = "RankFailed"
    WEIGHTS_DIVERGED = "WeightsDiverged"
    NOT_A_NUMBER = "NotANumber"
    HANG = "Hang"
    DATA_UNAVAILABLE = "DataUnavailable"
    OUTPUT_FAILED = "OutputFailed"
    SUPERSEDED = "Superseded"
    RENDEZVOUS_FAILED = "RendezvousFailed"
    PEER_LOST = "PeerLost"
    INTERRUPTED = "Interrupted"
    INTERNAL = "InternalError"
    IMAGE_PULL = "ImagePull"
    CONTAINER_CREATE = "ContainerCreate"
    UNSCHEDULABLE = "Unschedulable"
    QUOTA_EXCEEDED = "QuotaExceeded"
    FAILED_CREATE = "FailedCreate"
    CLAIM_NOT_BOUND = "ClaimNotBound"
    FAILED_MOUNT = "FailedMount"
    FAILED_ATTACH_VOLUME = "FailedAttachVolume"
    FAILED_SANDBOX = "FailedCreatePodSandBox"
    START_TIMEOUT = "StartTimeout"
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    POD_DELETED = "PodDeleted"
    POD_FAILED = "PodFailed"
    POD_REJECTED = "PodRejected"
    STORAGE_EXCEEDED = "StorageExceeded"
    EVICTED = "Evicted"
    PREEMPTED = "Preempted"
    NODE_LOST = "NodeLost"
    JOB_DELETED = "JobDeleted"
    RESULT_LOST = "ResultLost"
    REFUSED = "Refused"


CAUSE_PATTERN = r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$"
"""Of a cause in a record, which becomes the reason of conditions: those of `Cause`, and whatever a newer trainer may know."""


ContractVersion = Annotated[int, Field(ge=1, le=65535)]
"""See `trainingrun.contract_version`."""


class RunIdentity(Frozen):
    """Which run an attempt belongs to."""

    namespace: str
    name: str
    uid: str


class AttemptConfig(Frozen):
    """All that the trainer is told about one attempt."""

    contract_version: ContractVersion = 1
    """What it takes to read this."""
    run: RunIdentity
    round: Annotated[int, Field(ge=1)] = 1
    attempt: Annotated[int, Field(ge=1)]
    image: str = ""
    strategy: StrategyType
    transport: Transport = Transport.GLOO
    fusion_threshold_bytes: Annotated[int, Field(ge=0)] | None = None
    cycle_time_milliseconds: Annotated[float, Field(gt=0)] | None = None
    gradient_compression: GradientCompression = GradientCompression.NONE
    backward_passes_per_step: Annotated[int, Field(ge=1)] = 1
    replicas: Annotated[int, Field(ge=1)]
    processes_per_worker: Annotated[int, Field(ge=1)]
    accelerator: AcceleratorKind | None = None
    accelerators_per_worker: Annotated[int, Field(ge=0)] = 0
    start_timeout_seconds: Annotated[int, Field(ge=1)] = 600
    termination_grace_period_seconds: Annotated[int, Field(ge=1)] = 30
    data: Data
    model: Model
    augmentation: Augmentation | None = None
    training: Training
    tuning: Tuning | None = None
    compression: Compression | None = None
    acceptance: Acceptance | None = None
    output: Output

    @model_validator(mode="before")
    @classmethod
    def _means_what_it_always_meant(cls, wire: Any) -> Any:
        return heard(cls, wire)

    @property
    def world_size(self) -> int:
        """Number of ranks of the whole gang."""
        return self.replicas * self.processes_per_worker

    @property
    def accelerators(self) -> int:
        """GPUs or TPU chips of the whole gang."""
        return self.replicas * self.accelerators_per_worker


class StartMoments(Tolerant):
    """Moments of an attempt's start that only the trainer knows."""

    rendezvous_done: Timestamp | None = None
    tensorflow_ready: Timestamp | None = None
    first_step: Timestamp | None = None


class ProgressReport(Tolerant):
    """What worker 0 answers to `GET /progress`: epochs, steps, `percent` and `eta_seconds` are those of the stage.

    An attempt goes through its stages in the order of `trainingrun.stages`, also through those that an earlier one has done.
    """

    contract_version: ContractVersion = 1
    """What the image speaks."""
    run_uid: Annotated[str, Field(max_length=63)] = ""
    """Of the run that it belongs to; an address may be another pod's by now."""
    attempt: int
    stage: Stage = Stage.STARTING
    turn: Annotated[int, Field(ge=0)] = 0
    """The how manieth time the attempt is in this stage, from 1: each sparsity is one. 0: the image does not say it."""
    epoch: int = 0
    epochs: int = 0
    step: int = 0
    steps: int = 0
    percent: Annotated[int, Field(ge=0, le=100)] = 0
    eta_seconds: Annotated[int, Field(ge=0)] | None = None
    epoch_milliseconds: Annotated[int, Field(ge=0)] | None = None
    """Measured time of an epoch of the stage, where it has epochs."""
    samples_per_second: Annotated[int, Field(ge=0)] | None = None
    metrics: tuple[MetricValue, ...] = ()
    checkpoint: CheckpointPosition | None = None
    choices: tuple[Choice, ...] = ()
    tuning: TuningStatus | None = None
    moments: StartMoments = StartMoments()
    updated_at: Timestamp


class FinalRecord(Tolerant):
    """The last word of an agent, its termination message.

    `cause` is absent after success. `result` is written by worker 0 only, after success and with `NotAccepted`. Until the JSON
    fits, parts are dropped in this order, and none is cut in the middle:
      1. `log_tail`, but for ever fewer of its last lines (the log is on the output);
      2. the reasons of `choices`, the best trial of `tuning`, `choices`, `tuning` (status has them from the last report);
      3. metrics of artifacts other than accuracy and loss;
      4. `hint`;
      5. artifacts, the last first, the smallest accepted one at the end; then the metrics of the result;
      6. what is longer than 500 characters in `message`.
    What is left of `result` is never dropped: without it a run that has succeeded would run again.
    """

    contract_version: ContractVersion = 1
    """What the image speaks."""
    attempt: int
    worker: int
    exit_code: int
    cause: Annotated[str, Field(max_length=63, pattern=CAUSE_PATTERN)] | None = None
    rank: int | None = None
    signal: int | None = None
    message: str = ""
    hint: str = ""
    log_tail: str = ""
    checkpoint: CheckpointPosition | None = None
    choices: tuple[Choice, ...] = ()
    tuning: TuningStatus | None = None
    moments: StartMoments = StartMoments()
    result: Result | None = None
