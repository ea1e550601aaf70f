"""The process of the study of `spec.tuning`, as worker 0's agent sees it: started, told to stop, ended."""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from trainingrun_trainer.agent import processes
from trainingrun_trainer.agent.logbook import Logbook

STUDY_MODULE = "trainingrun_trainer.tuning.serve"
END_SECONDS = 2.0


class StudyProcess:
    """A child that ends when its standard input does, so also when this process is killed."""

    def __init__(self, logbook: Logbook) -> None:
        self._logbook = logbook
        reading, writing = os.pipe()
        lines, output = os.pipe()
        start = processes.Start(module=STUDY_MODULE, environment=os.environ, input=reading, output=output)
        self._process = processes.launch(start, note=self._write)
        self._input = os.fdopen(writing, "wb", buffering=0)
        os.close(reading)
        os.close(output)
        self._reader = threading.Thread(target=self._copy_output, args=(lines,), daemon=True)
        self._reader.start()

    def interrupt(self) -> None:
        """The pod has been told to stop: what runs is noted as interrupted, whatever becomes of the ranks."""
        with suppress(OSError, ValueError):  # it has ended with the search
            self._input.write(b"s")

    def end(self) -> None:
        """Let it end, and see that it does."""
        self._input.close()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
        self._reader.join(END_SECONDS)

    def _copy_output(self, descriptor: int) -> None:
        with os.fdopen(descriptor, "rb") as lines:
            for line in lines:
                self._write(line.decode(errors="replace").rstrip())

    def _write(self, line: str) -> None:
        self._logbook.write(f"[study] {line}")


@contextmanager
def study_process(logbook: Logbook) -> Iterator[StudyProcess]:
    """The process, for as long as the context lasts."""
    process = StudyProcess(logbook)
    try:
        yield process
    finally:
        process.end()
