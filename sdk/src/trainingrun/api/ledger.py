"""`status.ledger` and `status.clock`: where the time of a run goes."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from trainingrun.api.base import Timestamp, Tolerant


class Account(StrEnum):
    """What the time of a run is spent on."""

    QUEUED = "Queued"
    SUSPENDED = "Suspended"
    STARTING = "Starting"
    TUNING = "Tuning"
    TRAINING = "Training"
    COMPRESSING = "Compressing"
    EVALUATING = "Evaluating"
    LOST = "Lost"


class Ledger(Tolerant):
    """Where the time of a round went, in whole seconds. The accounts and the time since `since` add up to its life.

    Seconds are added when the account changes, so an idle run is not written.
    """

    account: Annotated[str, Field(max_length=32, description="What time is spent on now; empty once the run has ended.")] = ""
    since: Annotated[Timestamp | None, Field(description="Since when; the seconds from then on are in no account yet.")] = None
    queued_seconds: Annotated[int, Field(description="Seconds of waiting for what the run needs.")] = 0
    suspended_seconds: Annotated[int, Field(description="Seconds of being suspended.")] = 0
    starting_seconds: Annotated[int, Field(description="Seconds from the creation of an attempt until it trains.")] = 0
    tuning_seconds: Annotated[int, Field(description="Seconds of trials that were kept.")] = 0
    training_seconds: Annotated[int, Field(description="Seconds of training that were kept.")] = 0
    compressing_seconds: Annotated[int, Field(description="Seconds of pruning and quantizing that were kept.")] = 0
    evaluating_seconds: Annotated[int, Field(description="Seconds of evaluation and export.")] = 0
    lost_seconds: Annotated[
        int, Field(description="Seconds of work after the last checkpoint or trial of attempts that died, and of back-off.")
    ] = 0
    accelerator_seconds: Annotated[
        int,
        Field(description="Seconds on a node, times the GPUs or TPU chips held there; what is held now since heldSince not."),
    ] = 0
    accelerators_held: Annotated[int, Field(description="GPUs or TPU chips that the pods hold now.")] = 0
    held_since: Annotated[Timestamp | None, Field(description="Since when it is this number.")] = None
    goodput_percent: Annotated[
        int | None,
        Field(
            ge=0,
            le=100,
            description="Tuning, training, compressing and evaluating, as a part of all time that was neither queued nor "
            "suspended.",
        ),
    ] = None


class Clock(Tolerant):
    """Running time for `activeDeadlineSeconds`: seconds of earlier attempts, and since when it runs now."""

    active_seconds: Annotated[int, Field(ge=0, description="Seconds of running before `runningSince`.")] = 0
    running_since: Annotated[Timestamp | None, Field(description="Start of the current stretch of running.")] = None
