"""What a rank tells its agent: JSON lines on a pipe, so that a rank which is killed can leave at most half a line."""

import json
import os
import re
import threading
from typing import Literal

from trainingrun.api.base import Frozen, to_wire
from trainingrun.api.result import Result
from trainingrun.contract import ProgressReport

_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")
"""A byte of a file's name that is no UTF-8, as Python has it."""

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
    """Why the rank is about to end, and what the run leaves all the same.

    What is no text in UTF-8 in it, such as a file's name, is written as the bytes that it is.
    """
    return Message(kind="failed", exit_code=exit_code, cause=cause, text=in_utf8(text), hint=in_utf8(hint), result=result)


def in_utf8(text: str) -> str:
    """The text, with what is no UTF-8 in it, as Python has it of names of files, written as `\\xff`."""
    bytes_named = _ESCAPED_BYTE.sub(lambda found: f"\\x{ord(found[0]) - 0xDC00:02x}", text)
    return bytes_named.encode("utf-8", "backslashreplace").decode()


def ready() -> Message:
    """The rank has its frameworks and has met the others."""
    return Message(kind="ready")
