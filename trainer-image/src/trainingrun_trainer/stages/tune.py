"""The stage that searches for better parameters: every rank runs trials, each alone on all training data, in this very process.

While trials run the ranks exchange nothing: they ask the study (`tuning/`), and those that find no trial left wait for the
others. Then all of them go on with the best parameters.
"""

import time
from dataclasses import replace

from trainingrun.api import Algorithm, Tuning
from trainingrun.contract import Cause, ExitCode, Stage
from trainingrun_trainer import fence
from trainingrun_trainer.choosing.found import Found
from trainingrun_trainer.context import Context
from trainingrun_trainer.data.feed import Split
from trainingrun_trainer.errors import TrainerError, interrupted
from trainingrun_trainer.stages.tell import tell
from trainingrun_trainer.stages.trial import Trial
from trainingrun_trainer.stages.trial_graphs import Keeper
from trainingrun_trainer.tuning.client import Client
from trainingrun_trainer.tuning.desk import Desk, Outcome, Turn
from trainingrun_trainer.tuning.journal import NAME, newest
from trainingrun_trainer.tuning.parameters import with_parameters
from trainingrun_trainer.tuning.space import trials

WAIT_SECONDS = 0.5
"""Between two looks whether the others' last trials have ended."""


def tune(context: Context, split: Split, *, desk: Desk | None = None) -> Context:
    """The context with the best parameters of `spec.tuning`, the same on all ranks; without a search the context itself.

    Raises TrainerError: TuningFailed when no trial came to its end, Interrupted, PeerLost, OutputFailed or Superseded.
    """
    tuning = context.config.tuning
    if tuning is None:
        return context
    context.progress.stage(Stage.TUNING, steps=trials(tuning))
    context = _say_how_many(context, tuning)
    desk = Client.find() if desk is None else desk
    with Keeper(split) as keeper:
        _take_part(context, keeper, desk)
    outcome = _outcome(context, desk)
    if context.is_chief:
        context.progress.trials(outcome.status)
        _publish(context)
        desk.leave()
    if outcome.best is None:
        raise _tuning_failed(outcome)
    if context.is_chief:
        print("best parameters: " + ", ".join(f"{name} {value}" for name, value in outcome.best.items()))
    return replace(context, config=with_parameters(context.config, outcome.best))


def _say_how_many(context: Context, tuning: Tuning) -> Context:
    """The context that knows when there are fewer values to try than trials. A grid is small by design."""
    count = trials(tuning)
    if count == tuning.trials or tuning.algorithm is Algorithm.GRID:
        return context
    reason = (
        f"The values of spec.tuning.parameters have {count} combinations, fewer than spec.tuning.trials {tuning.trials}: each "
        "is tried once, because equal parameters give equal values. Add values or widen ranges for more trials."
    )
    found = Found(name="tuning.trials", value=str(count), reason=reason)
    return replace(tell(context, (found,)), found=(*context.found, found))


def _take_part(context: Context, keeper: Keeper, desk: Desk) -> None:
    """Run trials until there are none left, on any rank."""
    moves = -1
    while True:
        if context.is_interrupted():
            raise interrupted("Told to stop while tuning; the study is saved.")
        turn = desk.ask(rank=context.gang.rank)
        if turn.moves != moves:  # else nothing has been done on any rank: if that lasts, it is a hang
            context.progress.trials(turn.status)
        moves = turn.moves
        match turn.kind:
            case "run":
                _run(context, keeper, desk, turn)
            case "wait":
                time.sleep(WAIT_SECONDS)
            case "over":
                return


def _run(context: Context, keeper: Keeper, desk: Desk, turn: Turn) -> None:
    """Run one trial and tell how it ended."""
    started = time.monotonic()
    trial = Trial(context, keeper, desk, number=turn.trial, parameters=turn.parameters)
    verdict = trial.run()
    desk.tell(trial=turn.trial, kind=verdict.kind, cause=verdict.cause, message=verdict.message)
    shown = ", ".join(f"{name} {value}" for name, value in turn.parameters.items())
    print(f"trial {turn.trial} {verdict.kind} in {time.monotonic() - started:.1f} s: {shown}. {verdict.message}".rstrip())


def _outcome(context: Context, desk: Desk) -> Outcome:
    """What rank 0 is told, on all ranks. None of them asks for a trial any more once this returns."""
    told = desk.outcome().model_dump_json().encode() if context.is_chief else b""
    return Outcome.model_validate_json(context.gang.broadcast_bytes(told))


def _publish(context: Context) -> None:
    """Put the course of the search where people look for it."""
    fence.require_newest(context.paths)
    context.paths.run.join(NAME).write(newest(context.paths))


def _tuning_failed(outcome: Outcome) -> TrainerError:
    status = outcome.status
    first = f" The first: {outcome.cause}: {outcome.message}" if outcome.cause else ""
    return TrainerError(
        f"None of the {status.trials} trials of spec.tuning came to its end: {status.failed} failed and {status.pruned} were "
        f"ended early.{first}",
        cause=Cause.TUNING_FAILED,
        exit_code=ExitCode.BAD_CONFIG,
        hint="Correct what the first one says, or the ranges of spec.tuning.parameters.",
    )
