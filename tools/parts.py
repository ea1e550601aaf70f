"""Commands that run side by side, in lanes: one line tells how far they are, and the first that fails ends all."""

import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from images.children import tied

SHOWN_SECONDS = 30.0
"""Between two lines where the output is no terminal."""


class PartError(Exception):
    """A command has failed; the text is what it said, and where its output is."""


@dataclass(frozen=True)
class Part:
    """A command, and what it is called in the line of progress."""

    name: str
    command: Sequence[str]
    minutes: int = 1
    """About how long it took on two processors, with others beside it."""


@dataclass
class Lane:
    """Parts that run one after the other."""

    parts: Sequence[Part]
    log: Path
    said: str = ""
    """The last line of the part that runs."""
    running: Part | None = None
    done: list[str] = field(default_factory=list)
    """Of every part that has ended well, how long it took."""
    failure: str | None = None

    def run(self, over: threading.Event) -> None:
        """Run the parts until one fails, or somebody says that it is over."""
        try:
            with self.log.open("w") as log:
                for part in self.parts:
                    started = time.monotonic()
                    self.running, self.said = part, ""
                    self._run(part, log=log, over=over)
                    if over.is_set():
                        return
                    self.done.append(f"{part.name}: done after {time.monotonic() - started:.0f} s")
        except OSError as problem:
            self.failure = str(problem)
            over.set()
        self.running = None

    def _run(self, part: Part, *, log: TextIO, over: threading.Event) -> None:
        """What it writes to standard error is the sentence that tells why it failed."""
        with (
            tempfile.TemporaryFile("w+") as errors,
            subprocess.Popen(tied(part.command), stdout=subprocess.PIPE, stderr=errors, text=True, errors="replace") as child,
        ):
            reader = threading.Thread(target=self._listen, args=(child, log), daemon=True)
            reader.start()
            while child.poll() is None and not over.wait(0.1):
                continue
            child.terminate()
            code = child.wait()
            reader.join()
            errors.seek(0)
            said = errors.read().strip()
            log.write(said)
        if code != 0 and not over.is_set():
            self.failure = f"{said or f'{part.name} ended with code {code}.'}\nThe log is {self.log}"
            over.set()

    def _listen(self, child: "subprocess.Popen[str]", log: TextIO) -> None:
        for text in child.stdout or ():
            log.write(text)
            log.flush()
            self.said = text.strip() or self.said


def run(lanes: Sequence[Lane]) -> None:
    """Run all lanes to their end and show how far they are.

    Raises PartError with the sentence of the first part that fails, after the others have been ended.
    """
    over = threading.Event()
    threads = [threading.Thread(target=lane.run, args=(over,)) for lane in lanes]
    for thread in threads:
        thread.start()
    try:
        _show(lanes, threads=threads)
    finally:
        over.set()
        for thread in threads:
            thread.join()
    for lane in lanes:
        if lane.failure is not None:
            raise PartError(lane.failure)


def _show(lanes: Sequence[Lane], *, threads: Sequence[threading.Thread]) -> None:
    """Tell how far the lanes are until all have ended: in one line that changes on a terminal, else in a new one at times."""
    started = shown = time.monotonic()
    told = 0
    while any(thread.is_alive() for thread in threads):
        time.sleep(0.5)
        done = [text for lane in lanes for text in lane.done]
        now = time.monotonic()
        if len(done) > told or sys.stdout.isatty() or now - shown >= SHOWN_SECONDS:
            shown, told = now, len(done)
            _write(line(lanes, seconds=now - started))
    if sys.stdout.isatty():
        print(_ANEW, end="")
    for text in (text for lane in lanes for text in lane.done):
        print(f"  {text}", flush=True)


_ANEW = "\r\x1b[K"
"""Takes the last line away on a terminal."""


def _write(text: str) -> None:
    if sys.stdout.isatty():
        print(_ANEW + text[: shutil.get_terminal_size().columns - 1], end="", flush=True)
    else:
        print(text, flush=True)


def line(lanes: Sequence[Lane], *, seconds: float) -> str:
    """How far the lanes are, in one line."""
    told = [f"{lane.running.name}: {lane.said[:80]}" for lane in lanes if lane.running is not None]
    return f"  {seconds:4.0f} s  {' | '.join(told)}"
