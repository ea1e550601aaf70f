"""Change some fields of a frozen model: the type checker knows their names and types, and the model checks their values.

`model_copy(update={...})` does neither: a field that is misspelled there is lost without a word, and a value that the CRD does
not accept is found by the API server. Fields that the operator never changes by themselves are not here.
"""

from datetime import datetime
from typing import TypedDict, TypeVar, Unpack, overload

from pydantic import BaseModel

from trainingrun.api import (
    Checkpoint,
    Choice,
    Cleanup,
    Clock,
    Columns,
    Condition,
    Data,
    Failure,
    Ledger,
    MetricValue,
    NormalizationType,
    PastAttempt,
    Progress,
    Resolved,
    Result,
    Scaling,
    Schedule,
    Stopping,
    Timeline,
    TrainerRecord,
    Training,
    TrainingRun,
    TrainingRunSpec,
    TrainingRunStatus,
    TuningRecord,
    Workers,
)

Model = TypeVar("Model", bound=BaseModel)


class StatusFields(TypedDict, total=False):
    """Fields of a TrainingRunStatus."""

    observed_generation: int
    conditions: tuple[Condition, ...]
    columns: Columns | None
    stage: str
    round: int
    attempt: int
    rerun: str
    restarts: int
    fruitless_attempts: int
    retry_at: datetime | None
    waiting_since: datetime | None
    start_time: datetime | None
    completion_time: datetime | None
    clock: Clock | None
    stopping: Stopping | None
    cleanup: Cleanup | None
    checkpoint: Checkpoint | None
    resolved: Resolved | None
    trainer: TrainerRecord | None
    choices: tuple[Choice, ...]
    progress: Progress | None
    tuning: TuningRecord | None
    timeline: Timeline | None
    ledger: Ledger | None
    history: tuple[PastAttempt, ...]
    result: Result | None
    failure: Failure | None


class LedgerFields(TypedDict, total=False):
    """Fields of a Ledger."""

    account: str
    since: datetime | None
    queued_seconds: int
    suspended_seconds: int
    starting_seconds: int
    tuning_seconds: int
    training_seconds: int
    compressing_seconds: int
    evaluating_seconds: int
    lost_seconds: int
    accelerator_seconds: int
    accelerators_held: int
    held_since: datetime | None
    goodput_percent: int | None


class FailureFields(TypedDict, total=False):
    """Fields of a Failure."""

    cause: str
    message: str
    rank: int | None
    signal: int | None
    hint: str
    log_tail: str


class ProgressFields(TypedDict, total=False):
    """Fields of a Progress."""

    epoch: int
    step: int
    updated_at: datetime | None
    percent: int
    eta_seconds: int | None
    stage_percent: int | None
    stage_eta_seconds: int | None
    epoch_milliseconds: int | None
    metrics: tuple[MetricValue, ...]


class ResolvedFields(TypedDict, total=False):
    """Fields of a Resolved."""

    coordinator: str | None


class ClockFields(TypedDict, total=False):
    """Fields of a Clock."""

    running_since: datetime | None


class ConditionFields(TypedDict, total=False):
    """Fields of a Condition."""

    observed_generation: int


class ColumnsFields(TypedDict, total=False):
    """Fields of Columns."""

    status: str


class RunFields(TypedDict, total=False):
    """Fields of a TrainingRun."""

    spec: TrainingRunSpec


class SpecFields(TypedDict, total=False):
    """Fields of a TrainingRunSpec."""

    image: str | None
    workers: Workers
    active_deadline_seconds: int | None


class DataFields(TypedDict, total=False):
    """Fields of a Data."""

    normalization: NormalizationType | None


class TrainingFields(TypedDict, total=False):
    """Fields of a Training."""

    schedule: Schedule


class ScheduleFields(TypedDict, total=False):
    """Fields of a Schedule."""

    scaling: Scaling


@overload
def changed(value: TrainingRunStatus, **fields: Unpack[StatusFields]) -> TrainingRunStatus: ...
@overload
def changed(value: Ledger, **fields: Unpack[LedgerFields]) -> Ledger: ...
@overload
def changed(value: Failure, **fields: Unpack[FailureFields]) -> Failure: ...
@overload
def changed(value: Progress, **fields: Unpack[ProgressFields]) -> Progress: ...
@overload
def changed(value: Resolved, **fields: Unpack[ResolvedFields]) -> Resolved: ...
@overload
def changed(value: Clock, **fields: Unpack[ClockFields]) -> Clock: ...
@overload
def changed(value: Condition, **fields: Unpack[ConditionFields]) -> Condition: ...
@overload
def changed(value: Columns, **fields: Unpack[ColumnsFields]) -> Columns: ...
@overload
def changed(value: TrainingRun, **fields: Unpack[RunFields]) -> TrainingRun: ...
@overload
def changed(value: TrainingRunSpec, **fields: Unpack[SpecFields]) -> TrainingRunSpec: ...
@overload
def changed(value: Data, **fields: Unpack[DataFields]) -> Data: ...
@overload
def changed(value: Training, **fields: Unpack[TrainingFields]) -> Training: ...
@overload
def changed(value: Schedule, **fields: Unpack[ScheduleFields]) -> Schedule: ...


def changed(value: Model, **fields: object) -> Model:
    """The model with other values in these fields.

    Raises TypeError for a field that it has not, and ValidationError for a value that it may not have.
    """
    kind = type(value)
    unknown = fields.keys() - kind.model_fields.keys()
    if unknown:
        raise TypeError(f"{kind.__name__} has no field {', '.join(sorted(unknown))}")
    return kind.model_validate({**vars(value), **fields})
