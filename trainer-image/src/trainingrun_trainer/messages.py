"""What a rank tells its agent: JSON lines on a pipe, so that a rank which is killed can leave at most half a line."""

import json
import os
import threading
from typing import Literal

from trainingrun.api.base import Frozen, to_wire
from trainingrun.api.result import Result
from trainingrun.contract import ProgressReport

PIPE_VARIABLE = "TRAININGRUN_REPORT_PIPE"


class Message(Frozen):
    """One message; the field that belongs to its kind is set."""

    kind: Literal["ready", "progress", "failed", "result"]
    progress: ProgressReport | None = None
    result: Result | None = None
    exit_code: int = 0
    cause: str = ""
    text: str = ""
    hint: str = ""


class Reporter:
    """The rank's end of the pipe. Without an agent (in tests) it says nothing."""

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()

    @classmethod
    def from_environment(cls) -> "Reporter":
        """Use the pipe that the agent has opened for this rank."""
        descriptor = os.environ.get(PIPE_VARIABLE)
        return cls(None if descriptor is None else int(descriptor))

    def send(self, message: Message) -> None:
        """Write one line; an agent that is gone is no reason to fail."""
        if self._descriptor is None:
            return
        line = json.dumps(to_wire(message)).encode() + b"\n"
        with self._lock:
            try:
                os.write(self._descriptor, line)
            except BrokenPipeError:
                self._descriptor = None


def parse(line: bytes) -> Message | None:
    """The message of a line, or None for half a line."""
    try:
        return Message.model_validate_json(line)
    except ValueError:
        return None


def progress(report: ProgressReport) -> Message:
    """How far training is."""
    return Message(kind="progress", progress=report)


def result(final: Result) -> Message:
    """What the finished run achieved."""
    return Message(kind="result", result=final)


def failure(*, exit_code: int, cause: str, text: str, hint: str, result: Result | None = None) -> Message:
    """Why the rank is about to end, and what the run leaves all the same."""
    return Message(kind="failed", exit_code=exit_code, cause=cause, text=text, hint=hint, result=result)


def ready() -> Message:
    """The rank has its frameworks and has met the others."""
    return Message(kind="ready")
