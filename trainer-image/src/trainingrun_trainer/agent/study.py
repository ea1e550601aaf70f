"""The process of the study of `spec.tuning`, as worker 0's agent sees it: started, told to stop, ended."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from trainingrun_trainer.agent.logbook import Logbook

STUDY_MODULE = "trainingrun_trainer.tuning.serve"
END_SECONDS = 2.0


class StudyProcess:
    """A child that ends when its standard input does, so also when this process is killed."""

    def __init__(self, logbook: Logbook) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", STUDY_MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._logbook = logbook
        self._reader = threading.Thread(target=self._copy_output, daemon=True)
        self._reader.start()

    def interrupt(self) -> None:
        """The pod has been told to stop: what runs is noted as interrupted, whatever becomes of the ranks."""
        assert self._process.stdin is not None
        with suppress(OSError, ValueError):  # it has ended with the search
            os.write(self._process.stdin.fileno(), b"s")

    def end(self) -> None:
        """Let it end, and see that it does."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(END_SECONDS)

    def _copy_output(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._logbook.write(f"[study] {line.decode(errors='replace').rstrip()}")


@contextmanager
def study_process(logbook: Logbook) -> Iterator[StudyProcess]:
    """The process, for as long as the context lasts."""
    process = StudyProcess(logbook)
    try:
        yield process
    finally:
        process.end()
