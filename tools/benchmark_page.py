"""The tables of docs/benchmarks.md, from the reports beside it: what is between two markers is generated.

What was measured in several units has a line with a column for each; what was measured in one has its unit on the line.
"""

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
    by_name: dict[str, dict[str, dict[str, Any]]] = {}
    for row in rows:
        by_name.setdefault(row["name"], {})[row["unit"]] = row
    wide = {name: cells for name, cells in by_name.items() if len(cells) > 1}
    long = [row for row in rows if row["name"] not in wide]
    return "\n\n".join([*([_wide(wide)] if wide else []), *([_long(long)] if long else [])])


def _wide(names: dict[str, dict[str, dict[str, Any]]]) -> str:
    """A line per name and a column per unit: the median, and from where to where if that is not all."""
    units = list(dict.fromkeys(unit for cells in names.values() for unit in cells))
    lines = [f"| {name} | {' | '.join(_cell(cells.get(unit)) for unit in units)} |" for name, cells in names.items()]
    return "\n".join([f"| what | {' | '.join(units)} |", f"|---|{'---|' * len(units)}", *lines])


def _cell(row: dict[str, Any] | None) -> str:
    if row is None:
        return ""
    low, median, high = (_number(row[each]) for each in ("min", "median", "max"))
    return median if low == high else f"{median} ({low} to {high})"


def _long(rows: list[dict[str, Any]]) -> str:
    """A line per row."""
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
