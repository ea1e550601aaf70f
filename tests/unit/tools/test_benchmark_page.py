"""The tables that are made of measurements."""

import json
from pathlib import Path
from typing import Any

import pytest

from tools import benchmark_page, measurements


@pytest.fixture
def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Writes a report with some rows, and returns the lines of the page's tables."""
    (tmp_path / "benchmarks").mkdir()
    monkeypatch.setattr(benchmark_page, "FOLDER", tmp_path)
    monkeypatch.setattr(benchmark_page, "PAGE", tmp_path / "benchmarks.md")
    benchmark_page.PAGE.write_text("Above.\n<!-- from benchmarks/some.json -->\nold\n<!-- end -->\nBelow.\n")

    def make(rows: list[measurements.Row], **ratios: float) -> list[str]:
        report = {"commands": ["make bench"], "machine": "a machine", "date": "2026-01-01", "rows": rows, "ratios": ratios}
        (tmp_path / "benchmarks" / "some.json").write_text(json.dumps(report))
        return benchmark_page.page().splitlines()

    return make


def test_what_is_measured_in_one_unit_has_it_on_its_line(tables: Any) -> None:
    lines = tables([measurements.row("start", "s", [3, 1, 2]), measurements.row("speed", "images/s", [2000, 1000])], gain=2.5)
    assert "| start | s | 1 | 2 | 3 |" in lines
    assert "| speed | images/s | 1,000 | 1,500 | 2,000 |" in lines
    assert "| `gain` | 2.5 |" in lines
    assert (lines[0], lines[-1]) == ("Above.", "Below.")
    assert "old" not in lines


def test_what_is_measured_in_several_units_has_a_column_for_each(tables: Any) -> None:
    lines = tables(
        [
            measurements.row("small", "accuracy", [0.9, 0.7, 0.8]),
            measurements.row("small", "bytes", [1000, 1000]),
            measurements.row("large", "accuracy", [0.95]),
            measurements.row("large", "ms", [2]),
            measurements.row("both", "s", [1]),
        ]
    )
    assert [line for line in lines if line.startswith("|")] == [
        "| what | accuracy | bytes | ms |",
        "|---|---|---|---|",
        "| small | 0.8 (0.7 to 0.9) | 1,000 |  |",
        "| large | 0.95 |  | 2 |",
        "| what | unit | minimum | median | maximum |",
        "|---|---|---|---|---|",
        "| both | s | 1 | 1 | 1 |",
    ]
