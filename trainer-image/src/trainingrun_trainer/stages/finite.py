"""A loss that is no number ends a run: the steps that follow would only burn time."""

import math
from collections.abc import Mapping

from trainingrun.contract import Cause
from trainingrun_trainer.errors import TrainerError, failed
from trainingrun_trainer.stages.calls import Call
from trainingrun_trainer.stages.rate import Rate


def require_number(call: Call, *, rate: Rate, epoch: int) -> None:
    """Raises TrainerError (NotANumber) as soon as the loss is none."""
    if not math.isfinite(call.sums[0]):
        raise _not_a_number(f"loss became {call.sums[0]} by step {call.end} of epoch {epoch}", rate=rate)


def require_numbers(metrics: Mapping[str, float], *, rate: Rate, epoch: int) -> None:
    """The same for the losses of a finished epoch."""
    broken = [name for name in ("loss", "val_loss") if not math.isfinite(metrics[name])]
    if broken:
        raise _not_a_number(f"{' and '.join(broken)} became {metrics[broken[0]]} in epoch {epoch}", rate=rate)


def _not_a_number(what: str, *, rate: Rate) -> TrainerError:
    return failed(
        f"The {what}, with {rate.words}.",
        cause=Cause.NOT_A_NUMBER,
        hint=f"Lower {rate.field}, or see that the data has no NaN, together with a new value of spec.rerun.",
    )
