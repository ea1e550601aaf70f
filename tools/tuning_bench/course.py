"""The course of a search: what it had found when. Read from the lines of its journal, `tuning.jsonl`. Pure."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Course:
    """Times are seconds since the first object of the search was applied."""

    started: float
    """When the first trial was."""
    ends: tuple[tuple[float, float], ...]
    """Of the trials that came to their end: when, and how good they were."""
    over: float
    """When the last trial ended, or was ended early."""
    trials: int
    epochs: int
    """Of all trials together."""

    @classmethod
    def of(cls, journal: bytes, *, applied: datetime) -> "Course":
        """Read a journal; the clocks of the machines that wrote it and of this one must agree.

        Raises RuntimeError when a trial failed: what is left would look faster than it is.
        """
        events: list[dict[str, Any]] = [json.loads(line) for line in journal.splitlines()]
        failed = next((event for event in events if event["event"] in ("failed", "interrupted")), None)
        if failed is not None:
            raise RuntimeError(f"trial {failed['trial']} {failed['event']}: {failed.get('cause')} {failed.get('message')}")
        values = {event["trial"]: event["value"] for event in events if event["event"] == "epoch"}
        epochs = {event["trial"]: event["epoch"] for event in events if event["event"] == "epoch"}
        ended = [event for event in events if event["event"] in ("completed", "pruned")]
        return cls(
            started=min(_seconds(event, applied) for event in events),
            ends=tuple((_seconds(event, applied), values[event["trial"]]) for event in ended if event["event"] == "completed"),
            over=max(_seconds(event, applied) for event in ended),
            trials=len(ended),
            epochs=sum(epochs.values()),
        )

    @property
    def best(self) -> float:
        """Value of the best trial."""
        return self.best_after(self.over)

    @property
    def trials_per_minute(self) -> float:
        """With all that comes before the first trial."""
        return 60 * self.trials / self.over

    @property
    def trials_per_minute_once_started(self) -> float:
        """From the start of the first trial on."""
        return 60 * self.trials / (self.over - self.started)

    def best_after(self, seconds: float) -> float:
        """Value of the best trial that had ended by then; 0 when there was none."""
        return max((value for when, value in self.ends if when <= seconds), default=0.0)


def _seconds(event: dict[str, Any], applied: datetime) -> float:
    return (datetime.fromisoformat(event["time"]) - applied).total_seconds()


def percent(values: Iterable[float]) -> list[float]:
    """Shares as people read them."""
    return [100 * value for value in values]
