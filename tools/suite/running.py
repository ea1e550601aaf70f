"""Run stages: a process for each, its output in a file, lanes side by side; the first failure starts nothing more."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools.suite.stages import Lane, Stage

FAREWELL_SECONDS = 120.0
"""How long an interrupted stage may take to clean up."""
SILENCE_SECONDS = 900.0
"""A stage that has printed nothing for so long hangs. No test takes a tenth of it where nothing else runs: a slow machine is
no failure."""

Command = Callable[[Stage], Sequence[str]]


@dataclass(frozen=True)
class Outcome:
    """How a stage has ended."""

    stage: Stage
    code: int
    seconds: float
    """From its start to its end."""
    processor_seconds: float
    """Of all its processes that have ended with it: services that it has started in the background are not among them."""
    log: Path

    @property
    def has_passed(self) -> bool:
        """Whether all of it is well."""
        return self.code == 0


@dataclass
class Suite:
    """Stages on their way. `tell` is called with each outcome, by the thread of its lane."""

    stages: Sequence[Stage]
    command: Command
    folder: Path
    """Of the logs."""
    tell: Callable[[Outcome], None]
    silence: float = SILENCE_SECONDS
    """Seconds without a word after which a stage is ended."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables of all stages, `{stage}` in a value being its name."""
    outcomes: list[Outcome] = field(default_factory=list)
    _running: dict[str, "_Running"] = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _is_over: bool = False

    def run(self, *, interval: float, on_interval: Callable[[Mapping[str, float]], None]) -> list[Outcome]:
        """Run all stages, and return their outcomes; `on_interval` is told for how many seconds which of them run.

        An exception that interrupts it ends the stages first, each with time to clean up.
        """
        lanes = [threading.Thread(target=self._run_lane, args=(lane,)) for lane in Lane]
        try:
            for thread in lanes:
                thread.start()
            for thread in lanes:
                while thread.is_alive():
                    thread.join(interval)
                    if thread.is_alive():
                        self._end_silent()
                        on_interval(self._ages())
        except BaseException:
            self._interrupt()
            raise
        finally:
            for thread in lanes:
                if thread.is_alive():
                    thread.join()
        return self.outcomes

    def _run_lane(self, lane: Lane) -> None:
        for stage in (each for each in self.stages if each.lane is lane):
            if not self._may_start(stage):
                return
            outcome = self._run_stage(stage)
            self.tell(outcome)
            with self._changed:
                self.outcomes.append(outcome)
                self._is_over = self._is_over or not outcome.has_passed
                self._changed.notify_all()

    def _may_start(self, stage: Stage) -> bool:
        """Wait for what it needs; False once something has failed."""
        known = {each.name for each in self.stages}
        with self._changed:
            missing = set(stage.needs) & known
            self._changed.wait_for(lambda: self._is_over or missing <= {each.stage.name for each in self.outcomes})
            return not self._is_over

    def _run_stage(self, stage: Stage) -> Outcome:
        log = self.folder / f"{stage.name}.log"
        started = time.monotonic()
        variables = {name: value.replace("{stage}", stage.name) for name, value in self.environment.items()}
        with log.open("ab") as file, self._changed:
            process = subprocess.Popen(
                self.command(stage),
                env={**os.environ, **variables},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self._running[stage.name] = _Running(process.pid, started, log, heard=started)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        with self._changed:
            del self._running[stage.name]
        used = usage.ru_utime + usage.ru_stime
        return Outcome(stage, process.returncode, time.monotonic() - started, used, log)

    def _ages(self) -> dict[str, float]:
        with self._changed:
            return {name: time.monotonic() - running.started for name, running in self._running.items()}

    def _end_silent(self) -> None:
        """Interrupt what hangs, and end with SIGKILL what does not heed it: the stage fails, with the reason in its log."""
        now = time.monotonic()
        with self._changed:
            for running in self._running.values():
                silence = running.silence(now)
                if silence < self.silence:
                    continue
                if not running.is_hanging:
                    running.is_hanging = True
                    with running.log.open("a") as log:
                        log.write(f"\nThis stage has said nothing for {silence:.0f} s: it hangs, and is interrupted.\n")
                    os.killpg(running.group, signal.SIGINT)
                elif silence > self.silence + FAREWELL_SECONDS:
                    os.killpg(running.group, signal.SIGKILL)

    def _interrupt(self) -> None:
        """Ask all processes of all stages to end, as Ctrl-C does; end with SIGKILL what is left after its time."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()
            self._signal(signal.SIGINT)
            if not self._changed.wait_for(lambda: not self._running, FAREWELL_SECONDS):
                self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        for running in self._running.values():
            os.killpg(running.group, number)


@dataclass
class _Running:
    group: int
    started: float
    log: Path
    heard: float
    """When the log was last seen to have grown."""
    size: int = 0
    is_hanging: bool = False

    def silence(self, now: float) -> float:
        """Seconds since it has last printed something, as far as anybody has looked."""
        size = self.log.stat().st_size
        if size != self.size and not self.is_hanging:
            self.size, self.heard = size, now
        return now - self.heard
