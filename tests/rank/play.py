"""A rank that trains nothing. It keeps the contract of a rank in all else, and starts in a third of a second.

For tests of what becomes of runs: it meets the other ranks, steps together with them, reports, saves its state, goes on from
it, and ends as a rank does. Its numbers mean nothing. `tests/unit/trainer/test_played_rank.py` holds it to the real rank.
"""

import os
import signal
import threading
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from types import FrameType

from tests.rank import publishing, state
from tests.rank.gang import Alone, Gang, PeerLostError, Together
from tests.rank.state import State
from trainingrun.api import Result, StrategyType
from trainingrun.contract import AttemptConfig, Cause, ExitCode, Stage
from trainingrun.curves import Epoch
from trainingrun_trainer import fence, messages
from trainingrun_trainer.agent.rendezvous import Board, board_address, own_address
from trainingrun_trainer.agent.stacks import answer_when_asked
from trainingrun_trainer.devices import LOCAL_RANK_VARIABLE
from trainingrun_trainer.errors import TrainerError, failed, interrupted
from trainingrun_trainer.messages import Reporter
from trainingrun_trainer.progress import Progress
from trainingrun_trainer.settings import OutputPaths, Settings

STEPS = 5
"""Of an epoch."""
SAMPLES = 64
"""Of a step."""


@dataclass(frozen=True)
class Pace:
    """How long things take, and how large they are: `spec.workers.env` says so where the defaults do not do."""

    epoch_seconds: float
    checkpoint_bytes: int
    epochs_after_checkpoint: int | None
    """How many epochs an attempt plays that goes on from a checkpoint, if not all that are left: then it ends early."""

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Pace":
        """What the environment says."""
        return cls(
            epoch_seconds=float(environment.get("PLAYED_EPOCH_SECONDS", "0.25")),
            checkpoint_bytes=int(environment.get("PLAYED_CHECKPOINT_BYTES", "0")),
            epochs_after_checkpoint=int(environment.get("PLAYED_EPOCHS_AFTER_CHECKPOINT", "0")) or None,
        )


def main() -> int:
    """Play; says why it failed to the agent, and returns the exit code, as `trainingrun_trainer.rank.main` does."""
    answer_when_asked()
    told = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        told.set()

    signal.signal(signal.SIGTERM, stop)
    reporter = Reporter.from_environment()
    try:
        _run(Settings.from_environment(), reporter=reporter, told=told)
    except TrainerError as problem:
        print(f"{problem.cause}: {problem} {problem.hint}")
        reporter.send(messages.failure(exit_code=problem.exit_code, cause=problem.cause, text=str(problem), hint=problem.hint))
        return problem.exit_code
    except PeerLostError:
        text = "The connection to another rank was lost."
        reporter.send(messages.failure(exit_code=ExitCode.PEER_LOST, cause=Cause.PEER_LOST, text=text, hint=""))
        return ExitCode.PEER_LOST
    except Exception as problem:  # a defect of this rank: tests shall read it in the status of the run
        traceback.print_exc()
        reporter.send(
            messages.failure(
                exit_code=ExitCode.INTERNAL, cause=Cause.RANK_FAILED, text=f"The played rank: {problem!r}", hint=""
            )
        )
        return ExitCode.INTERNAL
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    return ExitCode.SUCCEEDED


def _run(settings: Settings, *, reporter: Reporter, told: threading.Event) -> None:
    config = settings.load_config()
    gang = _join(config, settings=settings)
    progress = Progress(reporter, attempt=config.attempt, speaks=gang.rank == 0)
    progress.ready()
    paths = OutputPaths.of(config, settings=settings)
    if gang.rank == 0:
        fence.claim(paths)
    finished = publishing.published(paths) if gang.rank == 0 else None
    if gang.agree(finished is not None):
        # An earlier attempt got this far, and only its report was lost.
        _report(finished, reporter=reporter)
        return
    reached = _Training(config, paths=paths, gang=gang, progress=progress, told=told, pace=Pace.of(os.environ)).train()
    progress.stage(Stage.EVALUATING, steps=1)
    gang.agree(False)
    progress.step(step=1, samples=SAMPLES)
    _report(publishing.publish(paths, reached) if gang.rank == 0 else None, reporter=reporter)


def _report(result: Result | None, *, reporter: Reporter) -> None:
    if result is not None:
        reporter.send(messages.result(result))


def _join(config: AttemptConfig, *, settings: Settings) -> Gang:
    """Meet the other ranks. Raises TrainerError (RendezvousFailed) naming the workers that have not come in time."""
    if config.strategy is StrategyType.SINGLE or config.world_size == 1:
        return Alone()
    host, port = board_address(os.environ)
    board = Board(worker=settings.worker, host=host, port=port)
    missing = board.wait_for_all(config.replicas, timeout=config.start_timeout_seconds)
    if missing:
        raise failed(
            f"Workers {', '.join(map(str, missing))} have not come within {config.start_timeout_seconds} s.",
            cause=Cause.RENDEZVOUS_FAILED,
            hint="See why their pods do not start, or raise spec.recovery.startTimeoutSeconds.",
        )
    rank = settings.worker * config.processes_per_worker + int(os.environ[LOCAL_RANK_VARIABLE])
    return Together(board, rank=rank, size=config.world_size, address=own_address(settings.coordinator))


@dataclass(frozen=True)
class _Training:
    """The stage in which time passes."""

    config: AttemptConfig
    paths: OutputPaths
    gang: Gang
    progress: Progress
    told: threading.Event
    pace: Pace

    def train(self) -> State:
        """Pass through all epochs that are left; raises TrainerError (Interrupted) after a checkpoint when told to stop."""
        epochs = self.config.training.epochs
        reached = self._restored()
        done = self._steps(reached)
        if self.gang.rank == 0:
            for number, metrics in enumerate(reached.history, start=1):
                print(Epoch(number, Stage.TRAINING, metrics, is_repeated=True).line())
        self.progress.stage(Stage.TRAINING, epochs=epochs, steps=epochs * STEPS, epoch=reached.epoch, step=done)
        last = self._last_epoch(reached)
        while reached.epoch < last:
            self._epoch(reached)
            if reached.epoch % self.config.training.checkpoint.every_epochs == 0 or reached.epoch == last:
                self._save(reached)
        return reached

    def _epoch(self, reached: State) -> None:
        while reached.step < STEPS:
            time.sleep(self.pace.epoch_seconds / STEPS)
            is_told = self.gang.agree(self.told.is_set())
            reached.step += 1
            self.progress.step(step=self._steps(reached), samples=SAMPLES * self.gang.size, epoch=reached.epoch)
            if is_told:
                self._save(reached)
                raise interrupted(f"Told to stop in epoch {reached.epoch + 1}, step {reached.step}; the state is saved.")
        metrics = reached.end_epoch()
        if self.gang.rank == 0:
            print(Epoch(reached.epoch, Stage.TRAINING, metrics).line())
        self.progress.epoch(reached.epoch, metrics)

    def _restored(self) -> State:
        """Where rank 0 finds that the round has got; the others learn it from rank 0."""
        found = state.newest(self.paths.round, before=self.config.attempt) if self.gang.rank == 0 else None
        reached = State.decode(self.gang.broadcast(found.encode() if found is not None else b"{}"))
        if reached != State():
            self.progress.checkpoint(stage=Stage.TRAINING, epoch=reached.epoch, step=self._steps(reached))
        return reached

    def _last_epoch(self, reached: State) -> int:
        """After which epoch the stage ends, which has reached this state."""
        epochs, more = self.config.training.epochs, self.pace.epochs_after_checkpoint
        return epochs if more is None or reached == State() else min(epochs, reached.epoch + more)

    def _save(self, reached: State) -> None:
        if self.gang.rank != 0:
            return
        fence.require_newest(self.paths)
        keep = self.config.training.checkpoint.keep
        state.save(reached, folder=self.paths.attempt, keep=keep, ballast=self.pace.checkpoint_bytes)
        self.progress.checkpoint(stage=Stage.TRAINING, epoch=reached.epoch, step=self._steps(reached))

    def _steps(self, reached: State) -> int:
        return reached.epoch * STEPS + reached.step
