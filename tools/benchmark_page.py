"""The tables of docs/benchmarks.md, from the reports beside it: what is between two markers is generated."""

import json
import re
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent.parent / "docs"
PAGE = FOLDER / "benchmarks.md"

_PART = re.compile(r"(<!-- from benchmarks/(\w+)\.json -->\n).*?(<!-- end -->)", re.DOTALL)


def page() -> str:
    """The page with its tables as the reports have them."""
    return _PART.sub(lambda found: f"{found[1]}\n{_tables(found[2])}\n{found[3]}", PAGE.read_text())


def _tables(name: str) -> str:
    report = json.loads((FOLDER / "benchmarks" / f"{name}.json").read_text())
    commands = ", ".join(f"`{command}`" for command in report["commands"])
    parts = [f"{commands} on {report['machine']}, {report['date']}.", _rows(report["rows"])]
    if report["ratios"]:
        parts.append(_ratios(report["ratios"]))
    return "\n\n".join(parts) + "\n"


def _rows(rows: list[dict[str, Any]]) -> str:
    lines = [
        f"| {row['name']} | {row['unit']} | {_number(row['min'])} | {_number(row['median'])} | {_number(row['max'])} |"
        for row in rows
    ]
    return "\n".join(["| what | unit | minimum | median | maximum |", "|---|---|---|---|---|", *lines])


def _ratios(ratios: dict[str, float]) -> str:
    lines = [f"| `{name}` | {value} |" for name, value in ratios.items()]
    return "\n".join(["| ratio of medians | |", "|---|---|", *lines])


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:g}"
