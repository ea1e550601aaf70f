"""The rank that plays in end-to-end tests (`tests.rank`) keeps the contract that the trainer's rank keeps.

Each statement is asserted of both, with the same words: a trainer that changes what it says fails here, and so does a played
rank that does not follow.
"""

import json
import os
import re
import signal
import socket
from pathlib import Path

import pytest

from tests.patience import patience
from tests.unit.trainer.gangs import Gang
from tests.unit.trainer.starting import Start
from trainingrun_trainer import checkpoint
from trainingrun_trainer.output.volume import VolumePlace

PLAYED = "tests.rank.entry"
RANKS = [pytest.param(None, id="real"), pytest.param(PLAYED, id="played")]
both = pytest.mark.parametrize("rank", RANKS)

EPOCH = r"epoch=(\d+) stage=Training loss=\d\.\d{4} accuracy=\d\.\d{4} val_loss=\d\.\d{4} val_accuracy=\d\.\d{4}"
"""What a log says of an epoch, and `epochs_logged` of the end-to-end tests reads."""
TOLD = r"Told to stop in epoch (\d+), step (\d+); the state is saved\."
GOES_ON = r"going on from checkpoint pvc://models/\.trainingrun/uid-1/1/1/checkpoint-(\d{8})-(\d{8})"
ENDLESS = {"epochs": 10_000}


def said(gang: Gang, form: str, *, worker: int = 0) -> list[str]:
    """Lines of a worker's log of this form, from its one rank."""
    lines = gang.log(worker).splitlines()
    return [line for line in lines if re.fullmatch(rf"\[rank {worker}\] {form}", line)]


def numbers(form: str, line: str) -> list[int]:
    """Those that a line of rank 0 has at the places of its form."""
    found = re.fullmatch(rf"\[rank 0\] {form}", line)
    assert found is not None
    return [int(group) for group in found.groups()]


def of_output(folder: Path) -> set[str]:
    """Files and folders of the run that people or other attempts look for."""
    run, state = folder / "output" / "run", folder / "output" / ".trainingrun" / "uid-1" / "1"
    return {path.name for path in run.iterdir()} | {f"state/{path.name}" for path in state.iterdir()}


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
def test_a_played_gang_meets_in_a_cluster_of_ipv6(start: Start) -> None:
    assert [record.exit_code for record in start(rank=PLAYED, host="[::1]").wait()] == [0, 0]


@both
def test_a_gang_that_ends_well_has_told_all_and_another_attempt_only_tells_it_again(
    start: Start, tmp_path: Path, rank: str | None
) -> None:
    gang = start(rank=rank)
    first, second = gang.wait()
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert [line.split("epoch=")[1].split()[0] for line in said(gang, EPOCH)] == ["1", "2"]
    assert len(said(gang, "first step done")) == 1
    assert said(gang, EPOCH, worker=1) == []

    assert first.result is not None
    assert {metric.name for metric in first.result.metrics} == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert [(artifact.name, artifact.uri) for artifact in first.result.artifacts] == [("model", "pvc://models/run/model")]
    assert first.result.epochs == 2
    assert first.checkpoint is not None
    assert (first.checkpoint.stage, first.checkpoint.epoch) == ("Training", 2)
    assert first.checkpoint.step > 0
    assert None not in first.moments.model_dump().values()
    assert second.result is None
    assert {"model", "result.json", "report.html", "logs", "state/1", "state/finished.json"} <= of_output(tmp_path)

    again = start(attempt=2, rank=rank)
    assert again.wait()[0].result == first.result
    assert said(again, EPOCH) + said(again, GOES_ON) == []


@both
def test_one_that_is_told_to_stop_saves_its_state_and_the_next_goes_on_until_a_newer_one_begins(
    start: Start, tmp_path: Path, rank: str | None
) -> None:
    gang = start(rank=rank, training=ENDLESS)
    gang.wait_until(lambda: gang.progress().get("checkpoint", {}).get("epoch", 0) >= 1)
    report = gang.progress()
    gang.terminate()
    first, second = gang.wait()
    assert [(record.exit_code, record.cause) for record in (first, second)] == [(75, "Interrupted")] * 2
    assert second.message == first.message
    told = re.fullmatch(TOLD, first.message)
    assert told is not None
    assert {"stage", "epoch", "epochs", "step", "steps", "percent", "metrics", "checkpoint", "moments"} <= report.keys()
    assert report["stage"] == "Training"

    another = start(attempt=2, rank=rank, training=ENDLESS)
    another.wait_until(lambda: said(another, EPOCH) != [])
    (going_on,) = said(another, GOES_ON)
    epoch, samples = numbers(GOES_ON, going_on)
    note = tmp_path / "output" / ".trainingrun" / "uid-1" / "1" / "1" / f"checkpoint-{epoch:08}-{samples:08}.json"
    state = json.loads(note.read_text())["state"]
    assert (state["epoch"], state["step"]) == (int(told[1]) - 1, int(told[2])), "what was saved is where it was told to stop"
    assert numbers(EPOCH, said(another, EPOCH)[0]) == [int(told[1])]

    (tmp_path / "output" / ".trainingrun" / "uid-1" / "1" / "3").mkdir()
    superseded = another.wait()[0]
    assert (superseded.exit_code, superseded.cause) == (70, "Superseded")


@both
def test_a_killed_rank_is_named_by_its_worker_and_lost_to_the_others(start: Start, rank: str | None) -> None:
    gang = start(rank=rank, training=ENDLESS)
    gang.wait_for_step(1)
    os.kill(gang.rank_pid(1), signal.SIGKILL)
    other, killed = gang.wait()
    assert (killed.exit_code, killed.cause, killed.rank, killed.signal) == (70, "RankKilled", 1, 9)
    assert (other.exit_code, other.cause, other.message) == (69, "PeerLost", "The connection to another rank was lost.")


@both
def test_workers_that_have_not_come_are_named(start: Start, rank: str | None) -> None:
    elsewhere = {1: {"TRAININGRUN_COORDINATOR": "127.0.0.1:1"}}
    gang = start(rank=rank, variables=elsewhere, startTimeoutSeconds=1)
    gang.agents[0].wait(timeout=patience(60))
    (record,) = gang.records(0)
    assert record.cause == "RendezvousFailed"
    assert record.message == "Workers 1 have not come within 1 s."


def test_a_played_rank_that_stands_still_stops_all_and_says_nothing_while_its_peer_is_asked(start: Start) -> None:
    gang = start(rank=PLAYED, training=ENDLESS)
    gang.wait_for_step(1)
    os.kill(gang.rank_pid(1), signal.SIGSTOP)
    report = gang.wait_for_standstill()
    assert gang.ask_for_stacks(1) == {"ranks": [1], "silent": [1]}
    assert gang.ask_for_stacks(0) == {"ranks": [0], "silent": []}
    assert "most recent call first" in gang.log(0)
    os.kill(gang.rank_pid(1), signal.SIGCONT)
    gang.wait_for_step(report["step"] + 1)


def test_the_trainer_reads_the_state_that_a_played_rank_has_saved(start: Start, tmp_path: Path) -> None:
    start(rank=PLAYED, training={"epochs": 3}).wait()
    round_folder = VolumePlace(tmp_path / "output" / ".trainingrun" / "uid-1" / "1", "pvc://models")
    found = checkpoint.newest(round_folder, before=1)
    assert found is not None
    state = checkpoint.Checkpoint.decode(*found).state
    assert (state.epoch, state.step, len(state.history)) == (3, 0, 3)
