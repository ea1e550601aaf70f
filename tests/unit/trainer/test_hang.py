"""A gang that stands still: its report does, its ranks say where they wait, and it ends within its grace period."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.unit.trainer.starting import Start, a_config
from trainingrun.api.base import to_wire
from trainingrun.contract import FinalRecord
from trainingrun_trainer.__main__ import main
from trainingrun_trainer.agent.grace import Grace, patience
from trainingrun_trainer.agent.logbook import Logbook
from trainingrun_trainer.agent.worker import Worker
from trainingrun_trainer.output.place import Place


def test_a_stopped_rank_stops_the_report_and_its_peer_says_where_it_waits(start: Start, tmp_path: Path) -> None:
    gang = start(training={"epochs": 500}, terminationGracePeriodSeconds=8)
    gang.wait_for_step(130)
    ranks = [gang.rank_pid(0), gang.rank_pid(1)]
    os.kill(ranks[1], signal.SIGSTOP)
    report = gang.wait_for_standstill()

    assert gang.ask_for_stacks(0) == {"ranks": [0], "silent": []}
    assert gang.ask_for_stacks(1) == {"ranks": [1], "silent": [1]}
    assert gang.progress() == report
    logs = tmp_path / "output" / "run" / "logs" / "1"
    waiting = (logs / "0.stacks.txt").read_text()
    assert "most recent call first" in waiting
    assert "in follow" in waiting  # in a call of steps, or in what the ranks agree on between two epochs
    assert waiting.rstrip().endswith("in _run_module_as_main")  # the main thread comes last, with all its frames
    assert "no answer within 2 s" in (logs / "1.stacks.txt").read_text()

    gang.terminate()
    first, second = gang.wait()
    assert [(record.exit_code, record.cause) for record in (first, second)] == [(75, "Interrupted")] * 2
    assert first.message.startswith("Told to stop. Rank 0 ended without having saved the state, for which there are 4 s")
    assert first.checkpoint is not None
    assert to_wire(first.checkpoint) == report["checkpoint"]
    assert "in follow" in (logs / "0.log").read_text()
    gang.wait_until(lambda: not [pid for pid in ranks if Path(f"/proc/{pid}").exists()])


def test_a_rank_that_is_asked_before_it_can_answer_lives_on(start: Start) -> None:
    gang = start(replicas=1, fresh=True)
    assert gang.ask_for_stacks(0) == {"ranks": [0], "silent": [0]}
    assert gang.wait()[0].exit_code == 0


def test_a_gang_that_is_told_to_stop_while_it_starts_does_not_wait_for_anybody(start: Start) -> None:
    gang = start(replicas=2, fresh=True)
    for worker in (0, 1):
        gang.wait_until_alive(worker)
    gang.terminate()
    records = gang.wait()
    assert [(record.exit_code, record.cause) for record in records] == [(75, "Interrupted")] * 2
    assert {record.message for record in records} == {
        "Told to stop before its ranks had met the others: there was nothing to save."
    }


@pytest.mark.parametrize(("cause", "saved"), [("PeerLost", [True]), ("OutputFailed", [])])
def test_the_log_goes_last_to_an_output_that_may_hang_and_not_at_all_to_one_that_has_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cause: str, saved: list[bool]
) -> None:
    config, message = tmp_path / "config.json", tmp_path / "termination"
    written: list[bool] = []
    really_save = Logbook.save

    def save(logbook: Logbook, target: Place, **options: Any) -> None:
        written.append(message.exists())
        really_save(logbook, target, **options)

    config.write_text(json.dumps(to_wire(a_config())))
    monkeypatch.setenv("TRAININGRUN_CONFIG", str(config))
    monkeypatch.setenv("TRAININGRUN_OUTPUT_MOUNT", str(tmp_path))
    monkeypatch.setenv("TRAININGRUN_TERMINATION_MESSAGE", str(message))
    monkeypatch.setattr(Worker, "run", lambda worker: FinalRecord(attempt=1, worker=0, exit_code=69, cause=cause))
    monkeypatch.setattr(Logbook, "save", save)
    assert main() == 69
    assert (message.exists(), written) == (True, saved)


def test_stacks_are_asked_for_by_post_only_and_at_one_path(start: Start) -> None:
    gang = start(replicas=1)
    gang.ask_for_stacks(0)
    assert [gang.status("GET", "/stacks"), gang.status("POST", "/progress")] == [404, 404]


@pytest.mark.parametrize("worker", [0, 1])
def test_a_checkpoint_that_takes_long_is_finished_whichever_worker_is_told_to_stop(start: Start, worker: int) -> None:
    """Rank 1 has nothing to save and ends at once: that must not end rank 0, which is still writing."""
    gang = start(rank="tests.unit.trainer.slow_rank", training={"epochs": 500})
    gang.wait_for_step(10)
    gang.agents[worker].send_signal(signal.SIGTERM)
    records = gang.wait()
    assert [record.exit_code for record in records] == [75, 75]
    assert records[0].message.endswith("the state is saved.")
    assert records[0].checkpoint is not None


@pytest.mark.parametrize(("grace_period", "expected"), [(600, 595), (30, 25), (10, 5), (8, 4), (1, 0.5)])
def test_ranks_have_the_grace_period_but_for_the_agents_last_words(grace_period: int, expected: float) -> None:
    assert patience(grace_period) == expected


def test_the_grace_period_begins_with_the_first_signal_and_not_again() -> None:
    now = [100.0]
    grace = Grace(30, clock=lambda: now[0])
    seen = []
    for moment in (100.0, 110.0, 134.9, 135.0):
        now[0] = moment
        seen.append((grace.has_begun, grace.is_over))
        if moment >= 110.0:
            grace.begin()
    assert seen == [(False, False), (False, False), (True, False), (True, True)]
