"""The log of a worker: on standard output for `kubectl logs`, and in a file for the output and the termination message."""

import contextlib
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path

from trainingrun_trainer.errors import TrainerError
from trainingrun_trainer.output.place import Place

TAIL_LINES = 40


class Logbook:
    """Keeps all lines in a scratch file and the last ones in memory; safe to use from several threads."""

    def __init__(self, *, scratch: Path | None = None) -> None:
        descriptor, name = tempfile.mkstemp(prefix="trainingrun-", suffix=".log", dir=scratch)
        self._path = Path(name)
        self._file = open(descriptor, "w", encoding="utf-8", errors="replace")  # noqa: SIM115  # closed by `save`
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._lock = threading.Lock()

    def write(self, line: str) -> None:
        """Add one line, without its line break."""
        with self._lock:
            print(line, flush=True)
            self._tail.append(line)
            with contextlib.suppress(OSError):  # a full scratch disk must not end the worker
                self._file.write(line + "\n")

    def tail(self, *, limit: int = 2000) -> str:
        """The last lines, at most `limit` characters."""
        with self._lock:
            return "\n".join(self._tail)[-limit:]

    def save(self, target: Place, *, permit: Callable[[], object] = lambda: None) -> None:
        """Add the log to that on the output, where a worker that a queue has stopped has left what it wrote before.

        `permit` raises when this run may not write there. A failure is said on standard error and changes nothing.
        """
        with self._lock:
            try:
                self._file.close()
                permit()
                target.append(self._path.read_bytes())
            except (OSError, TrainerError) as problem:
                print(f"The log could not be kept at {target.uri}: {problem}", file=sys.stderr)
            finally:
                self._path.unlink(missing_ok=True)

    def discard(self) -> None:
        """Keep it nowhere: what the pod has printed and the record's tail are all that is left."""
        with self._lock, contextlib.suppress(OSError):
            self._file.close()
            self._path.unlink(missing_ok=True)
