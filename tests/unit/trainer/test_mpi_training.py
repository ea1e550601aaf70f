"""The trainer itself over Open MPI: the same numbers as over Gloo, interrupted and gone on, and never a wait without an end."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.patience import patience
from tests.unit.trainer.mpi import Variables, needs_mpi, surroundings, with_program
from tests.unit.trainer.starting import Start, result_of

pytestmark = needs_mpi


@pytest.fixture
def world() -> Iterator[Variables]:
    with surroundings() as variables:
        yield variables


def environment_of(pid: int) -> dict[str, str]:
    """The variables that a process was started with."""
    pairs = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    return dict(pair.split("=", 1) for pair in pairs if "=" in pair)


@pytest.mark.long
def test_an_interrupted_run_over_mpi_goes_on_and_has_the_numbers_of_gloo(
    start: Start, tmp_path: Path, world: Variables
) -> None:
    training: dict[str, Any] = {"epochs": 4}
    options = {"fusionThresholdBytes": 1048576, "cycleTimeMilliseconds": 0.5, "training": training}
    gang = start(transport="MPI", variables=world, fresh=True, **options)
    gang.wait_for_step(60)
    told = environment_of(gang.rank_pid(1))
    assert (told["HOROVOD_FUSION_THRESHOLD"], told["HOROVOD_CYCLE_TIME"]) == ("1048576", "0.5")
    gang.agents[1].send_signal(signal.SIGTERM)
    assert [record.exit_code for record in gang.wait()] == [75, 75]
    with surroundings() as again:
        records = start(attempt=2, transport="MPI", variables=again, **options).wait()
    assert [record.exit_code for record in records] == [0, 0]
    assert "going on from checkpoint" in (tmp_path / "output" / "run" / "logs" / "2" / "0.log").read_text()
    over_mpi = result_of(tmp_path)["training"]
    records = start(run={"namespace": "team", "name": "run", "uid": "uid-2"}, **options).wait()
    assert [record.exit_code for record in records] == [0, 0]
    over_gloo = result_of(tmp_path)["training"]
    assert over_mpi["samples"] == over_gloo["samples"]
    assert len(over_mpi["history"]) == 4
    for one, other in zip(over_mpi["history"], over_gloo["history"], strict=True):
        assert one == pytest.approx(other, rel=1e-5), json.dumps([one, other])


def test_a_worker_that_never_comes_is_named_in_time(start: Start, world: Variables) -> None:
    (first,) = start(transport="MPI", variables=world, startTimeoutSeconds=2, absent={1}).wait()
    assert (first.exit_code, first.cause) == (70, "RendezvousFailed")
    assert first.message == "Workers 1 have not come within 2 s."


def test_an_mpirun_that_does_nothing_is_not_waited_for_without_end(start: Start, world: Variables) -> None:
    world[0] = with_program(world[0], name="mpirun", script="exec sleep 100")
    seconds = int(patience(3))
    first, second = start(transport="MPI", variables=world, startTimeoutSeconds=seconds).wait()
    said = {record.message for record in (first, second) if record.cause == "RendezvousFailed"}
    assert said == {f"Open MPI has not started within {seconds} s."}
