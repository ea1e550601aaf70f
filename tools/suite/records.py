"""What tests have written down about their time: see `tests/conftest.py`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Duration:
    """Seconds that one test took with its fixtures, and what it waited for meanwhile."""

    stage: str
    name: str
    seconds: float
    waits: Mapping[str, float]


def read(folder: Path, stage: str) -> list[Duration]:
    """The times of a stage's tests; none for a stage without."""
    file = folder / f"{stage}.jsonl"
    if not file.exists():
        return []
    lines = (json.loads(line) for line in file.read_text().splitlines())
    return [Duration(stage=stage, name=line["test"], seconds=line["seconds"], waits=line["waits"]) for line in lines]
