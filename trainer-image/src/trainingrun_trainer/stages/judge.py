"""The stage that judges which models `spec.acceptance` accepts. A run without one that is has failed, and keeps them all."""

from collections.abc import Sequence

from trainingrun.api import Result
from trainingrun.contract import Cause, ExitCode
from trainingrun_trainer.acceptance import Candidate, Judgement, shortcomings
from trainingrun_trainer.artifacts.measurements import Measurements
from trainingrun_trainer.context import Context
from trainingrun_trainer.errors import TrainerError


def judge(context: Context, finals: Sequence[tuple[str, Measurements]], *, name: str, floats: Measurements | None) -> Judgement:
    """Judge the models at the end of their ways against the float model, called `name`; nothing without `spec.acceptance`."""
    acceptance = context.config.acceptance
    if acceptance is None or floats is None:
        return Judgement({})
    reference = _candidate(name, floats)
    return Judgement(
        {
            final: shortcomings(_candidate(final, measured), acceptance=acceptance, float_model=reference)
            for final, measured in finals
        }
    )


def require_accepted(result: Result, reasons: Sequence[str]) -> Result:
    """The result of a run; raises TrainerError (NotAccepted), which has the result with it, when there are reasons against."""
    if not reasons:
        return result
    raise TrainerError(
        f"No model is accepted. {' '.join(reasons)}",
        cause=Cause.NOT_ACCEPTED,
        exit_code=ExitCode.NOT_ACCEPTED,
        hint="All artifacts are kept on the output: see report.html. Loosen spec.acceptance, or train and compress otherwise, "
        "together with a new spec.rerun.",
        result=result,
    )


def _candidate(name: str, measured: Measurements) -> Candidate:
    return Candidate(name=name, accuracy=measured.accuracy, loss=measured.loss, gzipped_bytes=measured.gzipped_bytes)
