"""One trial of a search: a network of its own, trained for some epochs by this rank alone."""

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from trainingrun.contract import AttemptConfig, Cause
from trainingrun_trainer.context import Context
from trainingrun_trainer.errors import TrainerError, failed, interrupted
from trainingrun_trainer.out_of_memory import is_out_of_memory
from trainingrun_trainer.parallel.single import SingleProcess
from trainingrun_trainer.stages.calls import Call, CallLength, in_calls
from trainingrun_trainer.stages.evaluate import own_part
from trainingrun_trainer.stages.plan import epoch_plan
from trainingrun_trainer.stages.trial_graphs import Keeper
from trainingrun_trainer.tuning.desk import Desk
from trainingrun_trainer.tuning.events import Kind
from trainingrun_trainer.tuning.parameters import with_parameters

SIGN_SECONDS = 5.0
"""Between two signs of life in an epoch that takes long."""
OWN_FAULTS = (Cause.NOT_A_NUMBER, Cause.BAD_CONFIG, Cause.OUT_OF_MEMORY)
"""What the parameters of a trial bring about. Whatever else goes wrong would do so with others too."""


@dataclass(frozen=True)
class Verdict:
    """How a trial has ended."""

    kind: Kind
    cause: str = ""
    message: str = ""


class Trial:
    """One trial on this rank."""

    def __init__(self, context: Context, keeper: Keeper, desk: Desk, *, number: int, parameters: Mapping[str, str]) -> None:
        self._whole = context
        self._keeper = keeper
        self._desk = desk
        self._number = number
        self._parameters = parameters
        self._signed = time.monotonic()

    def run(self) -> Verdict:
        """Train as long as the study lets it; what the parameters bring about becomes a verdict.

        Memory that was not enough is that only where no other trial's networks were in it. The study hears of an epoch once,
        however often it is trained.

        Raises TrainerError: Interrupted, after telling so, or what has nothing to do with the parameters.
        """
        is_alone = self._keeper.kept == 0
        verdict = self._try()
        if verdict.cause == Cause.OUT_OF_MEMORY and not is_alone:
            # What other trials have left took a part of the memory, and is gone now: this says what the trial itself needs.
            print(f"trial {self._number} did not fit beside what earlier trials keep, and is tried again alone", flush=True)
            verdict = self._try()
        return verdict

    def _try(self) -> Verdict:
        """Train once. The memory of all that is kept is free again after a failure that may have to do with it."""
        try:
            return self._train()
        except TrainerError as problem:
            if problem.cause is Cause.INTERRUPTED:
                self._desk.tell(trial=self._number, kind="interrupted")
            if problem.cause not in OWN_FAULTS:
                raise
            verdict = Verdict("failed", problem.cause, str(problem))
        except Exception as problem:  # a network or an operation that refuses these parameters must not end the search
            verdict = _fault(problem)
        if verdict.cause in (Cause.OUT_OF_MEMORY, Cause.RANK_FAILED):
            self._keeper.drop()  # only now: an error holds what its graph has computed until it is handled
        return verdict

    def _train(self) -> Verdict:
        context = self._context()
        config, split = context.config, self._keeper.split
        graphs = self._keeper.graphs(context)
        part = own_part(context, split.validation)
        measure = partial(graphs.measure, part)
        training_calls, validation_calls = CallLength(), CallLength()
        for epoch in range(config.training.epochs):
            plan = epoch_plan(context, split.training, epoch=epoch)
            taken = in_calls(context, partial(graphs.train, plan), split.training, plan.shard, first=0, length=training_calls)
            self._sums(taken, epoch=epoch)
            measured = in_calls(context, measure, split.validation, part, first=0, length=validation_calls)
            loss, correct, count = self._sums(measured, epoch=epoch)
            value = {"val_loss": loss / count, "val_accuracy": correct / count}[self._metric]
            if not self._desk.report(trial=self._number, epoch=epoch + 1, value=value) and epoch + 1 < config.training.epochs:
                return Verdict("pruned")
        return Verdict("completed")

    def _context(self) -> Context:
        """This rank alone, with the parameters and the epochs of the trial."""
        return replace(
            self._whole, config=config_of_trial(with_parameters(self._whole.config, self._parameters)), gang=SingleProcess()
        )

    @property
    def _metric(self) -> str:
        tuning = self._whole.config.tuning
        assert tuning is not None, "there is a search"
        return tuning.objective.metric

    def _sums(self, calls: Iterator[Call], *, epoch: int) -> Any:
        """Loss, correct answers and samples of all calls."""
        sums = np.zeros(3)
        for call in calls:
            sums += call.sums
            if not math.isfinite(call.sums[0]):
                raise failed(f"The loss became {call.sums[0]} in epoch {epoch + 1}.", cause=Cause.NOT_A_NUMBER)
            if call.is_told:
                raise interrupted("Told to stop while tuning; the study is saved, and the trial will be run again.")
            self._give_sign()
        return sums

    def _give_sign(self) -> None:
        """Show that something is done here: rank 0 to its agent, the others to rank 0 by way of the study."""
        self._whole.progress.trial_works()
        if time.monotonic() - self._signed > SIGN_SECONDS:
            self._signed = time.monotonic()
            self._desk.alive()


def config_of_trial(config: AttemptConfig) -> AttemptConfig:
    """The configuration with the epochs of a trial, in which the schedule takes its whole course."""
    assert config.tuning is not None, "there is a search"
    epochs = config.tuning.epochs_per_trial
    schedule = config.training.schedule
    shortened = schedule.model_copy(update={"warmup_epochs": min(schedule.warmup_epochs, epochs - 1)})
    return config.model_copy(update={"training": config.training.model_copy(update={"epochs": epochs, "schedule": shortened})})


def _fault(problem: Exception) -> Verdict:
    if is_out_of_memory(problem):
        return Verdict("failed", Cause.OUT_OF_MEMORY, f"The memory was not enough: {_first_line(problem)}")
    return Verdict("failed", Cause.RANK_FAILED, f"{type(problem).__name__}: {_first_line(problem)}")


def _first_line(problem: BaseException) -> str:
    lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
    return lines[0] if lines else ""
