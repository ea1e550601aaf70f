"""The events of a search on the output.

They are in the folder of the attempt, so that an older one that still runs disturbs nobody.

Each attempt writes the file anew with all events before, and then adds to it: what a crash has torn is gone. The lines of
epochs wait for the next start or end of a trial, which is written before anybody is answered.
"""

from datetime import UTC, datetime

from trainingrun_trainer import fence
from trainingrun_trainer.settings import OutputPaths
from trainingrun_trainer.tuning.events import Event, decode, encode

NAME = "tuning.jsonl"


class Journal:
    """What has happened in this round, and what happens now."""

    def __init__(self, paths: OutputPaths) -> None:
        """Raises TrainerError (OutputFailed) when the output does not answer."""
        self._paths = paths
        self._place = paths.attempt.join(NAME)
        self._before = b"".join(line + b"\n" for line in newest(paths).rpartition(b"\n")[0].splitlines())
        self._waiting = b""
        self._is_begun = False

    @property
    def before(self) -> list[Event]:
        """The events of earlier attempts of the round."""
        return decode(self._before)

    def note(self, events: list[Event]) -> None:
        """Keep events. Starts and ends of trials are on the output when this returns.

        Raises TrainerError: OutputFailed, and then the events are not kept, or Superseded when a newer attempt has begun.
        """
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        lines = self._waiting + encode(events, attempt=self._paths.config.attempt, time=now)
        if any(event.event != "epoch" for event in events):
            fence.require_newest(self._paths)
            self._write(lines)
            lines = b""
        self._waiting = lines

    def _write(self, lines: bytes) -> None:
        if self._is_begun:
            self._place.append(lines)
        else:
            self._place.write(self._before + lines)
        self._is_begun = True


def newest(paths: OutputPaths) -> bytes:
    """What the last attempt of the round that has run trials has written, this one or an earlier one."""
    attempts = sorted((int(name) for name in paths.round.names() if name.isdigit()), reverse=True)
    for attempt in attempts:
        if attempt <= paths.config.attempt:
            try:
                return paths.round.join(str(attempt)).join(NAME).read()
            except FileNotFoundError:
                continue
    return b""
