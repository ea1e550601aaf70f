"""What worker 0 prints of each epoch: one line of logfmt, read here by those who draw curves. Pure.

    epoch=3 stage=Pruning course=pruned-0.8 loss=0.0166 accuracy=0.9941 val_loss=0.1841 val_accuracy=0.9550

An attempt that goes on from a checkpoint first repeats the epochs before it, with `repeated=true`, so the log of the newest
attempt has all of them. `course` names a training that follows the first and is left out for that one. Other keys may be added.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_LINE = re.compile(r"(?:^|\s)(epoch=\d{1,9} stage=\w{1,40}(?: [\w.]{1,63}=[\w.+-]{1,63}){1,64})\s*$")
"""At the end of a line: kubectl and the agent write names before it."""
_TEXTS = ("epoch", "stage", "course", "repeated")


@dataclass(frozen=True)
class Epoch:
    """What an epoch has come to."""

    number: int
    """From 1, in its course."""
    stage: str
    """Of the run, as in `status.stage`."""
    metrics: Mapping[str, float]
    """By their names in tf_keras: loss, accuracy, val_loss, val_accuracy."""
    course: str = ""
    """Which training of the run, for example pruned-0.8; empty for the first."""
    is_repeated: bool = False
    """Whether an earlier attempt has trained it, and this one only says so."""

    def line(self) -> str:
        """For the log, without an end of line."""
        course = {"course": self.course} if self.course else {}
        repeated = {"repeated": "true"} if self.is_repeated else {}
        metrics = {name: figure(value) for name, value in self.metrics.items()}
        words = {"epoch": self.number, "stage": self.stage, **course, **repeated, **metrics}
        return " ".join(f"{name}={value}" for name, value in words.items())


def read(line: str) -> Epoch | None:
    """The epoch that a line of a log tells of; None for any other line."""
    found = _LINE.search(line)
    if found is None:
        return None
    words = dict(word.split("=", 1) for word in found[1].split(" "))
    metrics = {name: number for name, text in words.items() if name not in _TEXTS and (number := _number(text)) is not None}
    is_repeated = words.get("repeated") == "true"
    return Epoch(int(words["epoch"]), words["stage"], metrics, course=words.get("course", ""), is_repeated=is_repeated)


def epochs(lines: Iterable[str]) -> list[Epoch]:
    """Those that a log tells of, course by course, each once: what was trained again after a restart counts."""
    last: dict[tuple[str, int], Epoch] = {}
    for found in filter(None, map(read, lines)):
        last[found.course, found.number] = found
    courses = list(dict.fromkeys(course for course, _ in last))
    return sorted(last.values(), key=lambda epoch: (courses.index(epoch.course), epoch.number))


def figure(value: float) -> str:
    """A metric in four digits after the point, or with an exponent where they would say too little."""
    return f"{value:.4f}" if abs(value) >= 0.01 or value == 0 else f"{value:.3e}"


def _number(text: str) -> float | None:
    """NaN and infinity are no points of a curve."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
