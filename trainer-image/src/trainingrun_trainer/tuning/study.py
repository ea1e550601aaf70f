"""The study: it suggests what to try, judges trials after each epoch, and knows the best.

It is a fold over events (`tuning/events.py`). Whatever is asked or told makes an event, and events alone change the state, so
that a study which has been given the events of an earlier one goes on exactly where that one was. What trial `n` is suggested
follows from the seed, from `n` and from what was known when it started: with one runner, interrupted or not, the suggestions
are the same.

Equal parameters give equal values, so no values are suggested twice, and a search ends when it has tried all there are.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import optuna

from trainingrun.api import BestTrial, Goal, Scheduler, TriedValue, Tuning, TuningStatus
from trainingrun.api.base import decimal
from trainingrun.api.tuning import ASHA_REDUCTION
from trainingrun.contract import Cause
from trainingrun_trainer.tuning.events import Event, Kind
from trainingrun_trainer.tuning.space import Values, trials
from trainingrun_trainer.tuning.suggestions import Point, Suggestions, point

LOST = "The attempt ended without a word while this trial ran, as it does when a container exceeds its memory."

_STATES = {
    "completed": optuna.trial.TrialState.COMPLETE,
    "pruned": optuna.trial.TrialState.PRUNED,
    "interrupted": optuna.trial.TrialState.FAIL,
}

optuna.logging.set_verbosity(optuna.logging.WARNING)


@dataclass
class Trial:
    """What is known of a trial."""

    number: int
    parameters: Values
    rank: int
    state: Kind
    values: list[float] = field(default_factory=list)
    """Of the objective, after each epoch."""
    should_go_on: bool = True
    cause: str = ""
    message: str = ""


class Study:
    """The state of a search. `note` is called with each event before it counts; what it raises, the caller gets."""

    def __init__(self, tuning: Tuning, *, seed: int, note: Callable[[list[Event]], None], before: Iterable[Event] = ()) -> None:
        """Begin, or go on after the events of earlier attempts: a trial that they leave unfinished has failed."""
        self._tuning = tuning
        self._suggestions = Suggestions(tuning, seed=seed)
        self._note = note
        self._most = trials(tuning)
        self._trials: dict[int, Trial] = {}
        self._asked: dict[int, optuna.trial.Trial] = {}
        self._is_closed = False
        self._moves = 0
        self._optuna = optuna.create_study(
            direction="maximize" if tuning.objective.goal is Goal.MAXIMIZE else "minimize",
            pruner=optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=ASHA_REDUCTION)
            if tuning.scheduler is Scheduler.ASHA
            else optuna.pruners.NopPruner(),
        )
        for event in before:
            self._apply(event)
        lost = [trial.number for trial in self._trials.values() if trial.state == "started"]
        self._happen(*(Event(number, "failed", cause=Cause.OUT_OF_MEMORY, message=LOST) for number in lost))

    def ask(self, rank: int) -> Trial | None:
        """The trial that a rank runs next, or None when none is left to start. One that asks again gets the same again."""
        running = next((trial for trial in self._running() if trial.rank == rank), None)
        if running is not None or self._is_closed:
            return running
        again = next((trial for trial in self._trials.values() if trial.state == "interrupted"), None)
        if again is not None:
            self._happen(Event(again.number, "started", rank=rank, parameters=again.parameters))
            return self._trials[again.number]
        if self._is_full:
            return None
        fresh, failed = len(self._trials), self._count("failed")
        values = self._suggestions.suggest(fresh, study=self._optuna, tried=self._tried, failed=failed)
        self._happen(Event(fresh, "started", rank=rank, parameters=values))
        return self._trials[fresh]

    def report(self, trial: int, *, epoch: int, value: float) -> bool:
        """The objective after an epoch, counted from 1; returns whether the trial goes on. Reports may come twice."""
        known = self._trials[trial]
        if known.state == "started" and epoch == len(known.values) + 1:
            self._happen(Event(trial, "epoch", epoch=epoch, value=value))
        return known.state == "started" and known.should_go_on

    def tell(self, trial: int, kind: Kind, *, cause: str = "", message: str = "") -> None:
        """How a trial has ended. What is told of one that has ended before is not heard."""
        if self._trials[trial].state == "started":
            self._happen(Event(trial, kind, cause=cause, message=message))

    def alive(self) -> None:
        """A rank has worked: the search is no hang."""
        self._moves += 1

    def close(self) -> None:
        """Told to stop: what runs is interrupted, and nothing more is started."""
        self._is_closed = True
        self._happen(*(Event(trial.number, "interrupted") for trial in self._running()))

    @property
    def moves(self) -> int:
        """Grows whenever something of the search has been done."""
        return self._moves

    @property
    def is_over(self) -> bool:
        """Whether all trials have ended."""
        return self._is_full and all(trial.state in ("completed", "pruned", "failed") for trial in self._trials.values())

    @property
    def status(self) -> TuningStatus:
        """Counts and the best trial so far."""
        best = self._best()
        return TuningStatus(
            trials=max(self._most, len(self._trials)),
            completed=self._count("completed"),
            pruned=self._count("pruned"),
            failed=self._count("failed"),
            best=None
            if best is None
            else BestTrial(
                number=best.number,
                value=decimal(best.values[-1]),
                parameters=tuple(TriedValue(name=name, value=value) for name, value in best.parameters.items()),
            ),
        )

    @property
    def best(self) -> Values | None:
        """The parameters of the best trial that came to its end, if there is one."""
        best = self._best()
        return None if best is None else best.parameters

    @property
    def first_failure(self) -> Trial | None:
        """The first trial, by number, that failed."""
        return next((trial for trial in self._trials.values() if trial.state == "failed"), None)

    @property
    def _tried(self) -> set[Point]:
        return {point(trial.parameters) for trial in self._trials.values()}

    @property
    def _is_full(self) -> bool:
        """Whether no trial is left to begin. An older trainer may have tried values twice: its trials count, too."""
        return len(self._trials) >= self._tuning.trials or len(self._tried) >= self._most

    def _best(self) -> Trial | None:
        """Of equally good ones the first."""
        sign = -1 if self._tuning.objective.goal is Goal.MAXIMIZE else 1
        ended = [trial for trial in self._trials.values() if trial.state == "completed" and trial.values]
        return min(ended, key=lambda trial: (sign * trial.values[-1], trial.number), default=None)

    def _running(self) -> list[Trial]:
        return [trial for trial in self._trials.values() if trial.state == "started"]

    def _count(self, state: Kind) -> int:
        return sum(trial.state == state for trial in self._trials.values())

    def _happen(self, *events: Event) -> None:
        """Note the events first: what has been answered must never be forgotten."""
        if events:
            self._note(list(events))
        for event in events:
            self._apply(event)

    def _apply(self, event: Event) -> None:
        self._moves += 1
        if event.event == "started":
            assert event.rank is not None, "a start says on which rank"
            self._trials[event.trial] = Trial(event.trial, dict(event.parameters), event.rank, "started")
            self._optuna.enqueue_trial(self._suggestions.typed(event.parameters))
            self._asked[event.trial] = self._optuna.ask(self._suggestions.distributions)
            return
        trial, asked = self._trials[event.trial], self._asked[event.trial]
        if event.event == "epoch":
            assert event.epoch is not None, "an epoch says which it was"
            assert event.value is not None, "an epoch says how good it was"
            trial.values.append(event.value)
            asked.report(event.value, step=event.epoch)
            # Asked for also while earlier events are repeated: the pruner remembers with the trial how far it has come.
            is_last = event.epoch >= self._tuning.epochs_per_trial
            trial.should_go_on = not is_last and not asked.should_prune()
            return
        trial.state, trial.cause, trial.message = event.event, event.cause, event.message
        if event.event != "failed":
            is_completed = event.event == "completed"
            self._optuna.tell(asked, trial.values[-1] if is_completed else None, state=_STATES[event.event])
        # One that failed runs on for Optuna, whose TPE counts what runs as bad. What is told as failed it would forget; what is
        # told a value, however bad, it would take for one of the good trials while there are few others.
