"""The form of all benchmarks: rows of minimum, median and maximum, and ratios of medians, as JSON."""

import json
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent.parent / "docs" / "benchmarks"

Row = dict[str, Any]


def row(name: str, unit: str, values: Sequence[float], *, digits: int = 2) -> Row:
    """The row of some measurements of one thing."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return {"name": name, "unit": unit, "min": round(low, digits), "median": round(middle, digits), "max": round(high, digits)}


def write(name: str, rows: Sequence[Row], *, ratios: Mapping[str, float], command: str) -> str:
    """Write docs/benchmarks/<name>.json and return its text."""
    report = {
        "machine": machine(),
        "date": datetime.now(UTC).date().isoformat(),
        "commands": [command],
        "rows": list(rows),
        "ratios": {key: round(value, 3) for key, value in ratios.items()},
    }
    text = json.dumps(report, indent=2) + "\n"
    (FOLDER / f"{name}.json").write_text(text)
    return text


def machine() -> str:
    """The machine in words."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown processor")
    return f"{platform.system()} {platform.machine()}, {len(os.sched_getaffinity(0))} cores, {model}"
