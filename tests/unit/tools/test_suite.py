"""`make test` itself: lanes side by side, the first failure ends it, an interruption leaves nothing, and times add up."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.patience import patience
from tests.waiting import wait_for
from tools.suite import failures, records, running, table
from tools.suite.accounts import Account
from tools.suite.records import Duration
from tools.suite.running import Outcome, Suite
from tools.suite.stages import STAGES, Lane, Stage

ROOT = Path(__file__).parent.parent.parent.parent
ONE, TWO, OTHER = Stage("one", Lane.PROCESSORS), Stage("two", Lane.PROCESSORS), Stage("other", Lane.CLUSTER)


def a_suite(folder: Path, stages: Sequence[Stage], command: Callable[[Stage], str]) -> Suite:
    def shell(stage: Stage) -> list[str]:
        return ["bash", "-c", command(stage)]

    return Suite(stages=stages, command=shell, folder=folder, tell=lambda outcome: None)


def ended(suite: Suite) -> list[tuple[str, int]]:
    return [(outcome.stage.name, outcome.code) for outcome in suite.run(interval=1, on_interval=lambda ages: None)]


def test_every_stage_is_a_target_of_the_makefile() -> None:
    targets = {line.partition(":")[0] for line in (ROOT / "Makefile").read_text().splitlines() if ":" in line}
    assert {stage.name for stage in STAGES} <= targets


def test_stages_of_one_lane_run_in_turn_and_those_of_two_at_the_same_time(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    def command(stage: Stage) -> str:
        """Whoever opens one end of a pipe waits for the other end: alone, neither would end."""
        return {"one": "true", "two": f"echo > {tmp_path}/pipe", "other": f"cat {tmp_path}/pipe"}[stage.name]

    outcomes = ended(a_suite(tmp_path, [ONE, TWO, OTHER], command))
    assert sorted(outcomes) == [("one", 0), ("other", 0), ("two", 0)]
    assert outcomes.index(("one", 0)) < outcomes.index(("two", 0))


def test_a_stage_waits_for_those_that_it_needs(tmp_path: Path) -> None:
    needy = Stage("needy", Lane.CLUSTER, needs=("two",))
    commands = {"two": f"sleep 0.2; touch {tmp_path}/made", "needy": f"test -e {tmp_path}/made"}
    assert ended(a_suite(tmp_path, [needy, TWO], lambda stage: commands[stage.name])) == [("two", 0), ("needy", 0)]


def test_a_stage_that_needs_one_which_was_not_asked_for_runs(tmp_path: Path) -> None:
    needy = Stage("needy", Lane.CLUSTER, needs=("prepare",))
    assert ended(a_suite(tmp_path, [needy], lambda stage: "true")) == [("needy", 0)]


def test_after_a_failure_no_other_stage_is_started(tmp_path: Path) -> None:
    needy = Stage("needy", Lane.CLUSTER, needs=("one",))
    assert ended(a_suite(tmp_path, [ONE, TWO, needy], lambda stage: "exit 3")) == [("one", 3)]


def test_what_a_stage_prints_is_in_its_log_with_what_it_is_told(tmp_path: Path) -> None:
    suite = a_suite(tmp_path, [ONE], lambda stage: "echo said; echo $FILE >&2")
    suite.environment = {"FILE": "of {stage}"}
    (outcome,) = suite.run(interval=1, on_interval=lambda ages: None)
    assert outcome.log.read_text() == "said\nof one\n"


@pytest.mark.parametrize(
    ("heeds", "code"), [("trap 'echo cleaned; kill $!; exit 130' INT", 130), ("trap '' INT", -signal.SIGKILL)]
)
def test_a_stage_that_hangs_is_ended_and_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, heeds: str, code: int) -> None:
    """Another that says something now and then goes on."""
    monkeypatch.setattr(running, "FAREWELL_SECONDS", 0.5)
    commands = {
        "one": f"{heeds}; echo begun; sleep 60 & while ! wait; do :; done",
        "other": "for word in 1 2 3 4 5 6 7 8; do echo $word; sleep 0.2; done",
    }
    suite = a_suite(tmp_path, [ONE, OTHER, TWO], lambda stage: commands[stage.name])
    suite.silence = 1.0
    outcomes = suite.run(interval=0.05, on_interval=lambda ages: None)
    assert sorted((outcome.stage.name, outcome.code) for outcome in outcomes) == [("one", code), ("other", 0)]
    said = (tmp_path / "one.log").read_text()
    assert "begun" in said
    assert "This stage has said nothing for 1 s: it hangs, and is interrupted." in said
    assert ("cleaned" in said) is (code == 130)


def test_an_interruption_lets_the_stages_clean_up(tmp_path: Path) -> None:
    clean, begun = tmp_path / "clean", tmp_path / "begun"
    suite = a_suite(
        tmp_path, [ONE, TWO], lambda stage: f"trap 'touch {clean}; kill $!; exit 130' INT; true > {begun}; sleep 60 & wait"
    )

    def interrupt(ages: object) -> None:
        if begun.exists():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        suite.run(interval=0.05, on_interval=interrupt)
    assert clean.exists()
    assert [outcome.stage.name for outcome in suite.outcomes] == ["one"], "nothing was started afterwards"


def test_an_interruption_while_lanes_are_started_ends_those_that_have_been(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = tmp_path / "begun"
    suite = a_suite(tmp_path, [ONE], lambda stage: f"true > {begun}; exec sleep 60")
    really_start = threading.Thread.start

    def start(thread: threading.Thread) -> None:
        really_start(thread)
        if begun.exists():
            raise KeyboardInterrupt
        wait_for(lambda: begun.exists() or not thread.is_alive(), bool, what="the lane to begin", timeout=10, interval=0.02)

    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(KeyboardInterrupt):
        suite.run(interval=1, on_interval=lambda ages: None)
    assert [(outcome.stage.name, outcome.code) for outcome in suite.outcomes] == [("one", -signal.SIGINT)]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the suite and a Makefile of three stages, of which the second does not end by itself."""
    (tmp_path / "tools").symlink_to(ROOT / "tools")
    (tmp_path / "Makefile").write_text(
        "lint verify:\n\t@true\n"
        "unit:\n\t@echo what went wrong; exit 1\n"
        "schema:\n\t@echo in $$TEST_CLUSTER_NAME\n"
        "simulation:\n\t@: > begun; sleep 60\n"
        "cluster-down:\n\t@echo removed $$CLUSTER_NAME\n"
    )
    return tmp_path


def command_of(*stages: str) -> list[str]:
    return [sys.executable, "-m", "tools.suite", "--cluster", "mine", *stages]


def test_a_failure_names_its_stage_and_what_to_run_again(checkout: Path) -> None:
    done = subprocess.run(command_of("lint", "unit", "simulation"), cwd=checkout, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "what went wrong" in done.stdout
    assert "=== unit has failed. Just that again: make unit" in done.stdout
    assert "removed mine" in done.stdout
    assert not (checkout / "begun").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_suite_ends_its_stages_and_removes_its_cluster(checkout: Path, number: signal.Signals) -> None:
    with subprocess.Popen(command_of("simulation"), cwd=checkout, stdout=subprocess.PIPE, text=True) as suite:
        wait_for((checkout / "begun").exists, bool, what="the stage to begin", timeout=10, interval=0.02)
        suite.send_signal(number)
        said, _ = suite.communicate(timeout=patience(30))
    assert suite.returncode == 130
    assert "removed mine" in said
    assert "simulation failed" in said


def test_all_stages_share_the_cluster_that_is_removed_at_the_end(checkout: Path) -> None:
    done = subprocess.run(command_of("schema"), cwd=checkout, capture_output=True, text=True, check=True)
    assert (checkout / "build" / "suite" / "schema.log").read_text() == "in mine\n"
    assert done.stdout.rstrip().endswith("removed mine")


def an_outcome(name: str, *, seconds: float) -> Outcome:
    return Outcome(Stage(name, Lane.CLUSTER), code=0, seconds=seconds, processor_seconds=1, log=Path("log"))


def test_the_tables_say_where_the_time_has_gone() -> None:
    slow = Duration(stage="e2e", name="slow", seconds=9, waits={Account.CLUSTER: 4, Account.IMAGE: 0.01})
    quick = [Duration(stage="e2e", name=f"quick {number}", seconds=1, waits={Account.CLUSTER: 1}) for number in range(20)]
    stages = table.of_stages([an_outcome("e2e", seconds=30)], {"e2e": [slow, *quick]}).splitlines()
    assert stages[1].split() == ["e2e", "30", "1", "21", "24.0"]
    slowest = table.of_slowest([*quick, slow]).splitlines()
    assert slowest[1].split() == ["9.0", "4.0", "e2e", "slow"]
    assert len(slowest) == 1 + table.SLOWEST


def test_a_session_of_tests_writes_down_its_times(tmp_path: Path) -> None:
    """With a process of pytest-xdist, whose fixtures wait."""
    (tmp_path / "test_it.py").write_text(
        "import pytest\nfrom tools.suite.accounts import Account, waiting\n"
        "@pytest.fixture\ndef slow():\n    with waiting(Account.IMAGE):\n        pass\n    yield\n"
        "    with waiting(Account.CLUSTER):\n        pass\n"
        "def test_one(slow): pass\ndef test_two(): pass\n"
    )
    options = ("-n", "1", "-p", "tests.conftest", "-p", "no:cacheprovider", "--rootdir", str(tmp_path))
    command = [sys.executable, "-m", "pytest", *options, str(tmp_path)]
    environment = {**os.environ, "TRAININGRUN_TEST_TIMES": str(tmp_path / "stage.jsonl"), "PYTHONPATH": str(ROOT)}
    environment.pop("PYTEST_XDIST_WORKER", None)
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True)
    times = {duration.name.rpartition("::")[2]: duration for duration in records.read(tmp_path, "stage")}
    assert times.keys() == {"test_one", "test_two"}
    assert times["test_one"].waits.keys() == {Account.IMAGE, Account.CLUSTER}
    assert times["test_two"].waits == {}


def test_a_failed_test_is_told_in_a_line_with_its_reason_and_what_was_seen_last() -> None:
    long = f"ERROR tests/e2e/test_a.py::test_two - AssertionError: waited; last seen: {'x' * 5_000} the end"
    log = f"FAILURES\nE  ERROR in between\n=== short test summary info\nFAILED tests/b.py::test_one - assert 1\nof it\n{long}\n"
    one, two = failures.told(log)
    assert one == "FAILED tests/b.py::test_one - assert 1"
    assert two.startswith("ERROR tests/e2e/test_a.py::test_two - AssertionError: waited")
    assert two.endswith("x the end")
    assert len(two) < 850
    assert failures.told("make: *** Error 1") == []
    assert failures.told("FAILED tests/b.py::test\n" * 25)[-1] == "and 5 more"
