"""The board: Prometheus understands every expression, and none is empty after lives of all kinds."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.watching import promtool
from tests.watching.exposition import exposition, names, series
from tests.watching.test_alerts import ALERTS
from tools.board.grafana import PAGE
from tools.board.panels import NONE
from trainingrun_operator.metrics import Metrics

MINUTES = 90
GRAFANA = {"$namespace": ".*", "$__rate_interval": "5m", "$__range": "6h"}
_METRIC = re.compile(r"\btrainingrun_[a-z_]+")

PANELS: list[dict[str, Any]] = [each for each in json.loads(PAGE.read_text())["panels"] if each["type"] != "row"]
EXPRESSIONS = [(panel["title"], target["expr"]) for panel in PANELS for target in panel["targets"]]


def asked_for() -> set[str]:
    """Names of all series that the board or an alert looks at."""
    expressions = [expression for _, expression in EXPRESSIONS] + [rule["expr"] for rule in ALERTS.values()]
    return {name for expression in expressions for name in _METRIC.findall(expression)}


def shown(expression: str) -> str:
    """An expression as Grafana sends it, without the zero that it shows where there has never been anything."""
    for variable, value in GRAFANA.items():
        expression = expression.replace(variable, value)
    assert "$" not in expression
    return expression.replace(NONE, "")


def has_numbers(expression: str) -> dict[str, Any]:
    """A question that is answered with 1 when the expression has a series whose value is a number."""
    return {
        "expr": f"count(({expression}) == ({expression})) > bool 0",
        "eval_time": f"{MINUTES - 1}m",
        "exp_samples": [{"labels": "{}", "value": 1}],
    }


@pytest.fixture(scope="session")
def told() -> tuple[str, str]:
    return asyncio.run(exposition())


def test_no_panel_is_empty_after_lives_of_all_kinds(program: Path, tmp_path: Path, told: tuple[str, str]) -> None:
    found = series(*told, minutes=MINUTES)
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in found.items()],
        "promql_expr_test": [has_numbers(shown(expression)) for _, expression in EXPRESSIONS],
    }
    assert promtool.unit_test(program, {"evaluation_interval": "1m", "tests": [test]}, folder=tmp_path) == ""


@pytest.mark.parametrize(
    "expression", ["trainingrun_nothing", "sum(trainingrun_runs) - NaN", "trainingrun_runs{namespace='no'}"]
)
def test_an_empty_panel_would_be_noticed(program: Path, tmp_path: Path, told: tuple[str, str], expression: str) -> None:
    found = series(*told, minutes=MINUTES)
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in found.items()],
        "promql_expr_test": [has_numbers(expression)],
    }
    assert "FAILED" in promtool.unit_test(program, {"evaluation_interval": "1m", "tests": [test]}, folder=tmp_path)


def test_alerts_and_board_ask_for_nothing_that_the_operator_does_not_say(told: tuple[str, str]) -> None:
    assert asked_for() - names(told[1]) == set()


def test_every_metric_is_there_after_lives_of_all_kinds(told: tuple[str, str]) -> None:
    there = names(told[1])
    for each in Metrics().described:
        assert (f"{each.name}_bucket" if each.kind == "histogram" else each.name) in there


def test_panels_do_not_overlap_and_each_says_what_it_is() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in PANELS:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
        assert panel["description"].endswith("."), panel["title"]
    assert len({panel["title"] for panel in PANELS}) == len(PANELS)
