"""The course of training on the output, for people: `metrics.jsonl`, and `tensorboard/` with the same numbers.

Both are written anew by every attempt, from the state that it goes on from, and grow from there: so no epoch is in them twice,
and none is missing that a checkpoint has. What is new is written every few seconds, because an epoch may take less, and at the
end. An output that does not take it ends no run: the log says so once, and the next write makes up for it.
"""

import json
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import tensorflow as tf

from trainingrun.contract import Cause
from trainingrun_trainer import fence
from trainingrun_trainer.checkpoint import LoopState
from trainingrun_trainer.context import Context
from trainingrun_trainer.errors import TrainerError
from trainingrun_trainer.output.place import Place
from trainingrun_trainer.settings import OutputPaths
from trainingrun_trainer.stages.schedule import Rates

PAUSE_SECONDS = 5.0
"""Between two writes; twice as long after each that has failed."""
LONGEST_PAUSE_SECONDS = 60.0
SHORT_PATIENCE = 0.01
"""Part of the patience that a write in mid-training has: training goes on meanwhile."""
EVENTS_FILE = "events.out.tfevents.trainingrun"

Line = Mapping[str, Any]


class Journal:
    """Notes every finished epoch in the state, and writes what the state knows; only rank 0 writes."""

    def __init__(
        self,
        context: Context,
        state: LoopState,
        *,
        rates: Rates,
        curves: Callable[[OutputPaths], Place] = lambda paths: paths.run,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Training goes on from this state, with these rates; `curves` is its folder, that of the run by default."""
        hasty = replace(context.patience, seconds=context.patience.seconds * SHORT_PATIENCE)
        self._hasty = replace(context.paths, root=context.paths.root.within(hasty))
        self._curves = curves
        self._context = context
        self._rates = rates
        self._clock = clock
        self._began = self._written = clock()
        self._is_whole = state.step == 0 and state.skipped == 0
        """Whether all of the current epoch is this attempt's."""
        self._pause = PAUSE_SECONDS
        self._lines = _Growing("metrics.jsonl")
        self._events = _Growing(f"tensorboard/{EVENTS_FILE}")

    def epoch_done(self, state: LoopState) -> None:
        """Note the epoch that has just been added to the state's history.

        Raises TrainerError (Superseded) when a newer attempt has begun.
        """
        now = self._clock()
        state.notes.append(self._note(state, seconds=now - self._began))
        self._began, self._is_whole = now, True
        if now - self._written >= self._pause:
            self._write(state, self._hasty)
            self._written = self._clock()

    def close(self, state: LoopState) -> None:
        """Bring the output up to date for the last time, with all patience; raises as `epoch_done` does."""
        if not self._write(state, self._hasty):
            self._write(state, self._context.paths)

    def _write(self, state: LoopState, paths: OutputPaths) -> bool:
        """Bring the output up to date; whether it is."""
        if not self._context.is_chief or not state.notes:
            return True
        lines = [{**note, **state.history[note["epoch"] - 1]} for note in state.notes]
        try:
            fence.require_newest(paths)
            self._lines.grow(self._curves(paths), lines, encode=_json_lines)
            self._events.grow(self._curves(paths), lines, encode=_events)
        except TrainerError as problem:
            if problem.cause == Cause.SUPERSEDED:
                raise
            if self._pause == PAUSE_SECONDS:
                print(f"metrics are not written for now, and training goes on: {problem} {problem.hint}", flush=True)
            self._pause = min(2 * self._pause, LONGEST_PAUSE_SECONDS)
            return False
        if self._pause != PAUSE_SECONDS:
            print("metrics are written again", flush=True)
        self._pause = PAUSE_SECONDS
        return True

    def _note(self, state: LoopState, *, seconds: float) -> dict[str, Any]:
        """What is known of the last epoch beside its metrics. Only a whole one has a pace."""
        config = self._context.config
        pace = {"samplesPerSecond": round(sum(state.samples[-1]) / seconds)} if self._is_whole and seconds > 0 else {}
        return {
            "epoch": state.epoch,
            "step": state.epoch * self._rates.steps,
            "attempt": config.attempt,
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "seconds": round(seconds, 3),
            **pace,
            "learningRate": float(self._rates.of_epoch(state.epoch - 1)[-1]),
        }


@dataclass
class _Growing:
    """A file that this attempt writes anew first, and then only adds to, so that whoever follows it sees it grow."""

    name: str
    """Relative to a folder, with slashes."""
    _written: int = field(default=0, init=False)
    """Lines that are in it."""

    def grow(self, folder: Place, lines: list[dict[str, Any]], *, encode: Callable[[Iterable[Line]], bytes]) -> None:
        """Let it hold these lines, which begin with those that are in it."""
        place, written = folder, self._written
        for part in self.name.split("/"):
            place = place.join(part)
        self._written = 0  # what fails may leave half a line: then the next write is anew
        if written == 0:
            place.write(encode(lines))
        elif written < len(lines):
            place.append(encode(lines[written:]))
        self._written = len(lines)


def _json_lines(lines: Iterable[Line]) -> bytes:
    return "".join(f"{json.dumps(line)}\n" for line in lines).encode()


def _events(lines: Iterable[Line]) -> bytes:
    """Event records as TensorBoard reads them, one per epoch with all its numbers. TensorFlow writes records to files only."""
    with tempfile.TemporaryDirectory(prefix="trainingrun-events-") as scratch:
        path = Path(scratch) / EVENTS_FILE
        with tf.io.TFRecordWriter(str(path)) as writer:
            for line in lines:
                if line["epoch"] == 1:
                    writer.write(_event(line, file_version="brain.Event:2"))
                writer.write(_event(line, step=line["epoch"], summary=_summary(line)))
        return path.read_bytes()


def _event(line: Line, **content: Any) -> bytes:
    moment = datetime.fromisoformat(line["time"]).timestamp()
    encoded: bytes = tf.compat.v1.Event(wall_time=moment, **content).SerializeToString()
    return encoded


def _summary(line: Line) -> Any:
    """The metrics and what is worth a curve beside them."""
    beside = {"epoch", "step", "attempt", "time"}
    values = {name: value for name, value in line.items() if name not in beside}
    return tf.compat.v1.Summary(
        value=[tf.compat.v1.Summary.Value(tag=name, simple_value=value) for name, value in values.items()]
    )
