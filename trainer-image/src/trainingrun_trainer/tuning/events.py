"""What happens in a search, one JSON line for each: `tuning.jsonl`, from which another attempt goes on. Pure."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Kind = Literal["started", "epoch", "completed", "pruned", "failed", "interrupted"]
"""`interrupted`: told to stop; the trial is started again, with the same values."""


@dataclass(frozen=True)
class Event:
    """Something that has happened to a trial."""

    trial: int
    """Number of the trial, from 0."""
    event: Kind
    rank: int | None = None
    """Who runs it, with `started`."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Values of its parameters, with `started`."""
    epoch: int | None = None
    """Finished epochs, with `epoch`."""
    value: float | None = None
    """Of the objective, with `epoch`."""
    cause: str = ""
    """One word, with `failed`."""
    message: str = ""
    """A sentence, with `failed`."""
    attempt: int | None = field(default=None, compare=False)
    """By which attempt it was noted, as the journal says."""
    time: str = field(default="", compare=False)
    """When it was noted, in ISO 8601, as the journal says."""


def encode(events: Iterable[Event], **beside: Any) -> bytes:
    """JSON lines, without what is not set; each also says what is given beside."""
    return b"".join(json.dumps(_told(event) | beside).encode() + b"\n" for event in events)


def decode(lines: bytes) -> list[Event]:
    """The events of JSON lines; half a line at the end, which a crash may leave, is passed over."""
    names = Event.__dataclass_fields__
    whole, _, _ = lines.rpartition(b"\n")
    parsed = (json.loads(line) for line in whole.splitlines())
    return [Event(**{name: value for name, value in line.items() if name in names}) for line in parsed]


def _told(event: Event) -> dict[str, Any]:
    return {name: value for name, value in asdict(event).items() if value not in (None, "", {})}
