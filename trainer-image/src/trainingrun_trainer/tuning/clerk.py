"""The desk itself, in the process of the study: one rank after the other."""

import threading

from trainingrun.contract import AttemptConfig
from trainingrun_trainer.tuning.desk import Outcome, Turn
from trainingrun_trainer.tuning.events import Kind
from trainingrun_trainer.tuning.journal import Journal
from trainingrun_trainer.tuning.study import Study


class Clerk:
    """See `Desk`."""

    def __init__(self, config: AttemptConfig, journal: Journal) -> None:
        """Begin the search of the configuration, or go on with it."""
        assert config.tuning is not None, "the caller has looked"
        self._study = Study(config.tuning, seed=config.training.seed, note=journal.note, before=journal.before)
        self._lock = threading.Lock()

    def ask(self, *, rank: int) -> Turn:
        """See `Desk`."""
        with self._lock:
            trial, study = self._study.ask(rank), self._study
            if trial is None:
                return Turn(kind="over" if study.is_over else "wait", moves=study.moves, status=study.status)
            return Turn(
                kind="run", trial=trial.number, parameters=dict(trial.parameters), moves=study.moves, status=study.status
            )

    def report(self, *, trial: int, epoch: int, value: float) -> bool:
        """See `Desk`."""
        with self._lock:
            return self._study.report(trial, epoch=epoch, value=value)

    def tell(self, *, trial: int, kind: Kind, cause: str = "", message: str = "") -> None:
        """See `Desk`."""
        with self._lock:
            self._study.tell(trial, kind, cause=cause, message=message)

    def alive(self) -> None:
        """See `Desk`."""
        with self._lock:
            self._study.alive()

    def outcome(self) -> Outcome:
        """See `Desk`."""
        with self._lock:
            failure, study = self._study.first_failure, self._study
            if failure is None:
                return Outcome(best=study.best, status=study.status)
            return Outcome(best=study.best, status=study.status, cause=failure.cause, message=failure.message)

    def leave(self) -> None:
        """See `Desk`."""

    def close(self) -> None:
        """Told to stop: the trials that run are noted as interrupted, and no more are given out."""
        with self._lock:
            self._study.close()
