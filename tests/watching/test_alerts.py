"""Every alert as Prometheus judges it: it fires when it should and only then, and says where to read on."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.watching import promtool

ROOT = Path(__file__).parent.parent.parent
RULES = ROOT / "charts" / "trainingrun" / "files" / "alerts.yaml"
RUNBOOKS = ROOT / "docs" / "runbooks"
SECTIONS = ("## Meaning", "## Impact", "## Diagnosis", "## Mitigation")

ALERTS: dict[str, dict[str, Any]] = {
    rule["alert"]: rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]
}
Series = dict[str, str]
AT = "40m"
"""When the alert is asked for: after the longest `for`."""


@dataclass(frozen=True)
class Case:
    """Samples by series, one a minute, and what has to be then."""

    fires: Series
    quiet: Series
    labels: tuple[tuple[str, str], ...] = ()


def calls(good: str, bad: str) -> Series:
    return {
        'trainingrun_operator_api_calls_total{verb="GET",code="200"}': good,
        'trainingrun_operator_api_calls_total{verb="GET",code="none"}': bad,
    }


def looks(good: str, bad: str) -> Series:
    name = "trainingrun_operator_reconcile_seconds_count"
    return {f'{name}{{result="done"}}': good, f'{name}{{result="BusyError"}}': bad}


def histogram(name: str, *, fast: str, all_: str, bound: str, last: str) -> Series:
    """A histogram with samples up to `bound`, and others up to `last`."""
    return {
        f'{name}_bucket{{le="{bound}"}}': fast,
        f'{name}_bucket{{le="{last}"}}': all_,
        f'{name}_bucket{{le="+Inf"}}': all_,
        f"{name}_count": all_,
    }


def held(training: int, idle: int) -> Series:
    name = "trainingrun_accelerators"
    return {
        f'{name}{{namespace="team",accelerator="GPU",use="training"}}': f"{training}x1000",
        f'{name}{{namespace="team",accelerator="GPU",use="idle"}}': f"{idle}x1000",
    }


def restarts(cause: str, samples: str) -> Series:
    return {f'trainingrun_restarts_total{{namespace="team",cause="{cause}"}}': samples}


def not_accepted(samples: str) -> Series:
    return {'trainingrun_failures_total{namespace="team",cause="NotAccepted"}': samples}


UP: Series = {'trainingrun_operator_build_info{version="1",contract="2"}': "1x1000"}
TEAM = (("namespace", "team"),)
CASES: dict[str, Case] = {
    "TrainingRunOperatorDown": Case(fires={}, quiet=UP),
    "TrainingRunOperatorNoLeader": Case(
        fires={'trainingrun_operator_leader{pod="a"}': "0x1000", 'trainingrun_operator_leader{pod="b"}': "0x1000"},
        quiet={'trainingrun_operator_leader{pod="a"}': "1x1000", 'trainingrun_operator_leader{pod="b"}': "0x1000"},
    ),
    "TrainingRunOperatorDefect": Case(
        fires={"trainingrun_operator_defects_total": "0x29 1x1000"}, quiet={"trainingrun_operator_defects_total": "1x1000"}
    ),
    "TrainingRunOperatorReconcileFailing": Case(fires=looks("0+6x1000", "0+3x1000"), quiet=looks("0+60x1000", "0+3x1000")),
    "TrainingRunOperatorQueueGrows": Case(
        fires={"trainingrun_operator_work_queue_depth": "60x1000"},
        quiet={"trainingrun_operator_work_queue_depth": "60x8 0 60x8 0 60x8 0 60x8 0 60x8"},
    ),
    "TrainingRunOperatorLoopLag": Case(
        fires=histogram("trainingrun_operator_loop_lag_seconds", fast="0x1000", all_="0+60x1000", bound="1.0", last="2.5"),
        quiet=histogram("trainingrun_operator_loop_lag_seconds", fast="0+60x1000", all_="0+60x1000", bound="1.0", last="2.5"),
    ),
    "TrainingRunOperatorApiCallsFailing": Case(fires=calls("0+60x1000", "0+20x1000"), quiet=calls("0+60x1000", "0+2x1000")),
    "TrainingRunOperatorWatchMisses": Case(
        fires={"trainingrun_operator_watch_missed_total": "0x29 1x1000"},
        quiet={"trainingrun_operator_watch_missed_total": "1x1000"},
    ),
    "TrainingRunStalled": Case(
        fires={'trainingrun_runs{namespace="team",status="Stalled"}': "2x1000"},
        quiet={
            'trainingrun_runs{namespace="team",status="Stalled"}': "0x1000",
            'trainingrun_runs{namespace="team",status="Running"}': "2x1000",
        },
        labels=TEAM,
    ),
    "TrainingRunRestartsOften": Case(
        fires=restarts("OOMKilled", "1x5 1+1x1000"),
        quiet=restarts("OOMKilled", "1x20 2x1000"),
        labels=(*TEAM, ("cause", "OOMKilled")),
    ),
    "TrainingRunHangs": Case(fires=restarts("Hang", "_x29 1x1000"), quiet=restarts("OOMKilled", "_x29 1x1000"), labels=TEAM),
    "TrainingRunAcceleratorsIdle": Case(
        fires=held(training=0, idle=8), quiet=held(training=8, idle=4), labels=(*TEAM, ("accelerator", "GPU"))
    ),
    "TrainingRunSlowStart": Case(
        fires=histogram("trainingrun_startup_seconds", fast="0x1000", all_="0+1x1000", bound="300.0", last="600.0"),
        quiet=histogram("trainingrun_startup_seconds", fast="0+1x1000", all_="0+1x1000", bound="300.0", last="600.0"),
    ),
    "TrainingRunQueueWaitLong": Case(
        fires=histogram("trainingrun_queue_wait_seconds", fast="0x1000", all_="0+1x1000", bound="14400.0", last="28800.0"),
        quiet=histogram("trainingrun_queue_wait_seconds", fast="0+1x1000", all_="0+1x1000", bound="14400.0", last="28800.0"),
    ),
    "TrainingRunModelsNotAccepted": Case(fires=not_accepted("0x5 0+1x1000"), quiet=not_accepted("0x5 1x1000"), labels=TEAM),
}
each_alert = pytest.mark.parametrize("name", ALERTS)


def fired(program: Path, name: str, series: Series, *, folder: Path) -> str:
    """What Prometheus says of an alert for these samples, as its test prints it where none is expected; empty for none."""
    test = {
        "name": name,
        "interval": "1m",
        "input_series": [{"series": each, "values": samples} for each, samples in series.items()],
        "alert_rule_test": [{"eval_time": AT, "alertname": name}],
    }
    content = {"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [test]}
    return promtool.unit_test(program, content, folder=folder)


def test_promtool_finds_nothing_wrong_with_the_rules(program: Path) -> None:
    assert f"{len(ALERTS)} rules found" in promtool.check_rules(program, RULES)


@each_alert
def test_it_fires_and_says_about_whom(program: Path, tmp_path: Path, name: str) -> None:
    said = fired(program, name, CASES[name].fires, folder=tmp_path)
    assert f'alertname="{name}"' in said, said or "it has not fired"
    for label, value in (*CASES[name].labels, *ALERTS[name]["labels"].items()):
        assert f'{label}="{value}"' in said
    assert "<no value>" not in said
    assert "error executing template" not in said


@each_alert
def test_it_does_not_fire_without_cause(program: Path, tmp_path: Path, name: str) -> None:
    assert fired(program, name, CASES[name].quiet, folder=tmp_path) == ""


@each_alert
def test_its_runbook_is_there_and_says_all_that_a_runbook_says(name: str) -> None:
    annotations = ALERTS[name]["annotations"]
    assert ALERTS[name]["labels"]["severity"] in ("critical", "warning", "info")
    assert annotations["summary"].endswith(".")
    assert annotations["description"].endswith(".")
    page = RUNBOOKS / annotations["runbook_url"].rpartition("/")[2]
    assert page.name == f"{name}.md"
    text = page.read_text()
    assert text.startswith(f"# {name}\n")
    found = [text.index(f"\n{section}\n") for section in SECTIONS]
    assert found == sorted(found)
    assert f"[{name}]({name}.md)" in (RUNBOOKS / "README.md").read_text()


def test_no_runbook_is_about_an_alert_that_is_gone() -> None:
    assert {page.stem for page in RUNBOOKS.glob("*.md")} - {"README"} == set(ALERTS)
