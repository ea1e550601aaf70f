"""What rank 0 tells about how far the training is.

Every message is about something that has been done: a rank that waits sends none, and the operator sees that it waits. One that
waits for storage says so itself: see `agent.signs`.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from math import isfinite

from trainingrun.api import CheckpointPosition, Choice, MetricValue, TuningStatus
from trainingrun.api.base import decimal
from trainingrun.contract import ProgressReport, Stage, StartMoments
from trainingrun_trainer import messages
from trainingrun_trainer.messages import Reporter
from trainingrun_trainer.stage_clock import StageClock


class Progress:
    """Keeps the current report and sends it; ranks other than 0 keep silent."""

    def __init__(self, reporter: Reporter, *, attempt: int, speaks: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._reporter = reporter
        self._speaks = speaks
        self._now = clock
        self._report = ProgressReport(attempt=attempt, updated_at=_now())
        self._since: tuple[float, int] | None = None
        self._clock = StageClock()
        self._turns: Counter[Stage] = Counter()

    def ready(self) -> None:
        """The frameworks are loaded and all ranks have met."""
        self._reporter.send(messages.ready())
        self._moment("tensorflow_ready")

    def stage(self, stage: Stage, *, epochs: int = 0, steps: int = 0, epoch: int = 0, step: int = 0) -> None:
        """A stage begins, with so many epochs and steps, or goes on after those that an earlier attempt has done."""
        self._since = None
        self._clock.begin(stage)
        self._turns[stage] += 1
        self._send(
            stage=stage,
            turn=self._turns[stage],
            epoch=epoch,
            epochs=epochs,
            step=step,
            steps=steps,
            percent=_percent(step, steps),
            eta_seconds=None,
            epoch_milliseconds=None,
        )

    def step(self, *, step: int, samples: int, epoch: int = 0) -> None:
        """`step` steps of the stage are done; one step has `samples` samples, over all ranks."""
        if self._report.stage is Stage.TRAINING:
            self._first_step()
        rate, share = self._pace(step)
        self._send(epoch=epoch, **share, samples_per_second=round(rate * samples) if rate else None)

    def trials(self, status: TuningStatus) -> None:
        """How far the search is, whose steps are trials."""
        _, share = self._pace(status.completed + status.pruned + status.failed)
        self._send(**share, tuning=status)

    def trial_works(self) -> None:
        """A trial on this rank has taken steps."""
        self._first_step()
        self._send()

    def part_done(self) -> None:
        """A part of the stage is done that no number counts: the report is renewed, so that nobody takes it for a hang."""
        self._send()

    def epoch(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """An epoch is done, with these metrics."""
        self._send(epoch=epoch, metrics=metric_values(metrics))

    def checkpoint(self, *, stage: Stage, epoch: int, step: int) -> None:
        """A checkpoint is safe on the output."""
        self._send(checkpoint=CheckpointPosition(stage=stage, epoch=epoch, step=step))

    def choices(self, choices: Sequence[Choice]) -> None:
        """These values apply, beside what was told before; one with a name that was told takes its place."""
        known = {choice.name: choice for choice in (*self._report.choices, *choices)}
        self._send(choices=tuple(known.values()))

    @property
    def seconds(self) -> dict[Stage, float]:
        """Wall-clock seconds of each stage of this attempt, up to now."""
        return self._clock.seconds

    def _pace(self, step: int) -> tuple[float | None, dict[str, object]]:
        """Steps per second in this stage, once they can be told, and what follows from them and from `step` steps done."""
        now = self._now()
        if self._since is None:
            self._since = (now, step)
        elapsed, done = now - self._since[0], step - self._since[1]
        rate = done / elapsed if elapsed > 0.5 and done > 0 else None
        return rate, {
            "step": step,
            "percent": _percent(step, self._report.steps),
            "eta_seconds": round(max(0, self._report.steps - step) / rate) if rate else None,
            "epoch_milliseconds": round(1000 * self._report.steps / self._report.epochs / rate)
            if rate and self._report.epochs
            else None,
        }

    def _first_step(self) -> None:
        """Remember when the very first steps had been taken, in whichever stage."""
        if self._report.moments.first_step is None:
            self._moment("first_step")
            if self._speaks:
                print("first step done")

    def _moment(self, name: str) -> None:
        moments: StartMoments = self._report.moments.model_copy(update={name: _now()})
        self._send(moments=moments)

    def _send(self, **changes: object) -> None:
        self._report = self._report.model_copy(update={**changes, "updated_at": _now()})
        if self._speaks:
            self._reporter.send(messages.progress(self._report))


def metric_values(metrics: Mapping[str, float]) -> tuple[MetricValue, ...]:
    """Metrics as the API writes them: decimal strings with four digits after the point. What is no number has none."""
    return tuple(MetricValue(name=name, value=decimal(value)) for name, value in metrics.items() if isfinite(value))


def _percent(step: int, steps: int) -> int:
    return int(100 * step / steps) if steps else 0


def _now() -> datetime:
    return datetime.now(UTC)
