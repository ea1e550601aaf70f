"""Gangs over Open MPI with real agents, sshd and mpirun on loopback: they meet, end like others, say what keeps them apart."""

import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.patience import patience
from tests.unit.trainer.gangs import Gang
from tests.unit.trainer.mpi import Variables, needs_mpi, processes, surroundings, with_program
from tests.unit.trainer.starting import Start
from trainingrun_trainer.agent.mpi.meeting import MeetingError
from trainingrun_trainer.agent.transport import mpi

pytestmark = needs_mpi

RANK = "tests.unit.trainer.mpi_rank"
LOST_DAEMON = "Rank 1 has lost Open MPI's daemon"
ANOTHER_KEY = """
for file; do :; done
/usr/bin/ssh-keygen "$@" && /usr/bin/ssh-keygen -q -t ed25519 -N "" -f "$file.other" && mv "$file.other.pub" "$file.pub"
"""
"""An ssh-keygen whose public half is that of another key."""


@pytest.fixture
def world() -> Iterator[Variables]:
    with surroundings() as variables:
        yield variables


def folder_of(world: Variables, worker: int) -> Path:
    return Path(world[worker]["TRAININGRUN_MPI_MOUNT"])


def start_job(start: Start, world: Variables, *, processes: int = 1, terms: int, **options: Any) -> Gang:
    """A gang that has met: every rank has added up the numbers of all."""
    grace = int(patience(20))
    gang = start(
        rank=RANK, transport="MPI", variables=world, processes=processes, terminationGracePeriodSeconds=grace, **options
    )
    expected = f"the sum is {sum(range(terms + 1))}"
    gang.wait_until(lambda: [gang.log(worker).count(expected) for worker in world] == [processes, processes])
    return gang


def test_ranks_of_two_workers_are_one_job_and_stop_when_they_are_told(start: Start, world: Variables) -> None:
    gang = start_job(start, world, processes=2, terms=4, fresh=True)
    gang.wait_until(lambda: gang.status("GET", "/readyz", worker=1) == 200)
    gang.wait_until(lambda: not (folder_of(world, 0) / "key").exists())
    gang.terminate()
    records = gang.wait()
    assert [(record.exit_code, record.cause) for record in records] == [(75, "Interrupted")] * 2
    gang.wait_until(lambda: not processes(world))


def test_nobody_else_can_read_what_is_secret_or_come_in_later(start: Start, world: Variables) -> None:
    gang = start_job(start, world, terms=2)
    secret = (folder_of(world, 0) / "key", folder_of(world, 1) / "host_key")
    gang.wait_until(lambda: not processes(world, program="sshd"))
    assert [stat.S_IMODE(path.stat().st_mode) for path in secret if path.exists()] == [0o600]
    gang.terminate()
    gang.wait()


def test_an_environment_does_not_travel_to_other_workers(start: Start, world: Variables) -> None:
    start_job(start, {worker: {**each, "MY_SECRET": "rose"} for worker, each in world.items()}, terms=2)
    for pid in processes(world):
        assert b"rose" not in Path(f"/proc/{pid}/environ").read_bytes()


def test_a_killed_rank_ends_the_gang_and_is_named(start: Start, world: Variables) -> None:
    gang = start_job(start, world, terms=2)
    os.kill(gang.rank_pid(1), signal.SIGKILL)
    first, second = gang.wait()
    assert (second.cause, second.rank, second.signal, second.exit_code) == ("RankKilled", 1, 9, 70)
    assert (first.cause, first.exit_code) == ("PeerLost", 69)


@pytest.mark.parametrize(
    ("program", "worker", "words"),
    [("mpirun", 0, "Open MPI has given up the gang: mpirun was ended by signal 9"), ("orted", 1, LOST_DAEMON)],
)
def test_a_gang_whose_mpi_is_gone_ends_and_says_so(
    start: Start, world: Variables, program: str, worker: int, words: str
) -> None:
    gang = start_job(start, world, terms=2)
    (pid,) = processes(world, program=program)
    os.kill(pid, signal.SIGKILL)
    records = gang.wait()
    assert [record.cause for record in records] == ["PeerLost"] * 2
    assert records[worker].message.startswith(words)


def test_a_wrong_token_is_a_sentence(start: Start, world: Variables) -> None:
    gang = start(rank=RANK, transport="MPI", variables={**world, 1: {**world[1], "TRAININGRUN_TOKEN": "guessed"}})
    first, second = gang.wait()
    assert (second.exit_code, second.cause) == (70, "RendezvousFailed")
    assert second.message == "What is on the board about the ssh key of worker 0 was not written by a pod of this attempt."
    assert first.cause == "PeerLost"


@pytest.mark.parametrize(
    ("worker", "words"), [(0, "Permission denied (publickey)"), (1, "REMOTE HOST IDENTIFICATION HAS CHANGED")]
)
def test_a_wrong_key_is_a_sentence(start: Start, world: Variables, worker: int, words: str) -> None:
    world[worker] = with_program(world[worker], name="ssh-keygen", script=ANOTHER_KEY)
    first, _ = start(rank=RANK, transport="MPI", variables=world).wait()
    assert (first.exit_code, first.cause) == (70, "RendezvousFailed")
    assert first.message.startswith("Open MPI did not start: on worker 0 mpirun ended with exit code ")
    assert words in first.message


def test_an_sshd_that_is_killed_is_a_sentence(start: Start, world: Variables) -> None:
    world[0] = with_program(world[0], name="mpirun", script="exec sleep 100")
    gang = start(rank=RANK, transport="MPI", variables=world)
    gang.wait_until(lambda: "Server listening" in gang.log(1))
    (pid,) = processes(world, program="sshd")
    os.kill(pid, signal.SIGKILL)
    first, second = gang.wait()
    assert (second.exit_code, second.cause) == (70, "RendezvousFailed")
    assert second.message.startswith("Open MPI did not start: on worker 1 sshd was ended by signal 9")
    assert first.cause == "PeerLost"


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (None, "the image has no user 1000650000 in /etc/passwd"),
        ("/sbin/nologin", "the user 1000650000 has /sbin/nologin in /etc/passwd in place of a shell"),
        ("/usr/sbin/nologin", "the user 1000650000 has /usr/sbin/nologin"),
        ("/bin/false", "the user 1000650000 has /bin/false"),
    ],
)
def test_a_user_whom_sshd_would_not_serve_is_a_sentence(monkeypatch: pytest.MonkeyPatch, entry: str | None, words: str) -> None:
    def user(number: int) -> SimpleNamespace:
        if entry is None:
            raise KeyError(number)
        return SimpleNamespace(pw_shell=entry)

    monkeypatch.setattr(mpi, "shutil", SimpleNamespace(which=lambda program: program))
    monkeypatch.setattr(mpi, "os", SimpleNamespace(getuid=lambda: 1000650000))
    monkeypatch.setattr(mpi, "pwd", SimpleNamespace(getpwuid=user))
    with pytest.raises(MeetingError) as unfit:
        mpi._check_image()
    assert unfit.value.verdict.message.startswith(f"spec.strategy.transport MPI cannot be used: {words}")
    assert "transport Gloo" in str(unfit.value.verdict.hint)


def test_an_image_without_open_mpi_is_a_sentence(start: Start, world: Variables, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    world[0]["PATH"] = str(tmp_path / "empty")
    first, _ = start(rank=RANK, transport="MPI", variables=world).wait()
    assert (first.exit_code, first.cause) == (64, "BadConfig")
    assert first.message.startswith(
        "spec.strategy.transport MPI cannot be used: the image has no mpirun, orted, ssh, ssh-keygen."
    )
    assert "transport Gloo" in first.hint
