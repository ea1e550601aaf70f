"""What agents write, seal and tell their ranks so that they become one Horovod job."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit.trainer.starting import a_config
from trainingrun_trainer.agent.logbook import Logbook
from trainingrun_trainer.agent.mpi.door import sshd_config
from trainingrun_trainer.agent.mpi.launch import Announcement, files, mpirun
from trainingrun_trainer.agent.mpi.orted_only import daemon
from trainingrun_trainer.agent.mpi.seal import sealed, unsealed
from trainingrun_trainer.agent.rendezvous import Board
from trainingrun_trainer.agent.transport import transport
from trainingrun_trainer.agent.verdict import Ended, first_cause
from trainingrun_trainer.messages import failure
from trainingrun_trainer.output.volume import VolumePlace
from trainingrun_trainer.settings import Settings

WORKERS = {
    worker: Announcement(address=f"10.0.0.{worker}", port=2222, host_key=f"ssh-ed25519 AAAA{worker}") for worker in (10, 2, 1)
}


def environment_of(tmp_path: Path, *, worker: int = 1, **spec: Any) -> dict[str, str]:
    """What the second rank of a worker is started with."""
    settings = Settings.from_environment({"JOB_COMPLETION_INDEX": str(worker), "TRAININGRUN_MPI_MOUNT": "/mpi"})
    board = Board(worker=worker, host="10.96.0.9", port=29500)
    config = a_config(replicas=2, processes=2, **spec)
    logbook = Logbook(scratch=tmp_path)
    told = transport(config, settings=settings, board=board, logbook=logbook).environment(1)
    logbook.save(VolumePlace(tmp_path / "log", "log"))
    return told


@pytest.mark.parametrize("kind", ["Gloo", "MPI"])
def test_fusion_and_cycle_are_the_users_with_both_transports(tmp_path: Path, kind: str) -> None:
    variables = environment_of(tmp_path, transport=kind, fusionThresholdBytes=67108864, cycleTimeMilliseconds=2.5)
    assert (variables["HOROVOD_FUSION_THRESHOLD"], variables["HOROVOD_CYCLE_TIME"]) == ("67108864", "2.5")


@pytest.mark.parametrize("kind", ["Gloo", "MPI"])
def test_without_them_horovod_has_its_own(tmp_path: Path, kind: str) -> None:
    assert not {"HOROVOD_CYCLE_TIME", "HOROVOD_FUSION_THRESHOLD"} & environment_of(tmp_path, transport=kind).keys()


def test_a_threshold_of_zero_is_said(tmp_path: Path) -> None:
    assert environment_of(tmp_path, fusionThresholdBytes=0)["HOROVOD_FUSION_THRESHOLD"] == "0"


def test_ranks_are_told_who_carries_their_messages(tmp_path: Path) -> None:
    gloo, mpi = environment_of(tmp_path), environment_of(tmp_path, transport="MPI")
    assert (gloo["HOROVOD_CONTROLLER"], gloo["HOROVOD_CPU_OPERATIONS"], gloo["HOROVOD_RANK"]) == ("gloo", "gloo", "3")
    assert (mpi["HOROVOD_CONTROLLER"], mpi["HOROVOD_CPU_OPERATIONS"]) == ("mpi", "mpi")
    assert mpi["TRAININGRUN_MPI_PLACE"] == "/mpi/rank-3.json"


def test_a_seal_shows_who_speaks_and_that_nobody_has_changed_it() -> None:
    value = sealed("ssh-ed25519 AAAA", by=0, token="secret")
    assert unsealed(value, by=0, token="secret") == "ssh-ed25519 AAAA"
    assert unsealed(value, by=1, token="secret") is None
    assert unsealed(value, by=0, token="guessed") is None
    assert unsealed(value.replace(b"AAAA", b"BBBB"), by=0, token="secret") is None
    assert [unsealed(broken, by=0, token="secret") for broken in (b"", b"[]", b"{}", b"\xff")] == [None] * 4


def test_worker_0_comes_first_and_the_others_follow_by_number() -> None:
    made = files(Path("/mpi"), WORKERS, slots=4)
    assert made["hostfile"] == "localhost slots=4\nworker-1 slots=4\nworker-2 slots=4\nworker-10 slots=4\n"
    assert made["known_hosts"].splitlines()[0] == "worker-1 ssh-ed25519 AAAA1"
    assert "Host worker-10\n  HostName 10.0.0.10\n  Port 2222\n  HostKeyAlias worker-10\n" in made["ssh_config"]


def test_ssh_believes_the_known_keys_alone() -> None:
    words = files(Path("/mpi"), WORKERS, slots=1)["ssh_config"].split("\n")
    assert "  StrictHostKeyChecking yes" in words
    assert "  UserKnownHostsFile /mpi/known_hosts" in words
    assert "  GlobalKnownHostsFile none" in words


def test_sshd_lets_one_key_in_for_one_command() -> None:
    text = sshd_config(Path("/mpi"), address="10.0.0.1", port=2222, socket=Path("/mpi/slots"))
    said = dict(line.split(maxsplit=1) for line in text.splitlines())
    assert said["AuthenticationMethods"] == "publickey"
    assert said["AuthorizedKeysFile"] == "/mpi/authorized_keys"
    assert said["ListenAddress"] == "10.0.0.1"
    assert (said["DisableForwarding"], said["PermitTTY"], said["UsePAM"]) == ("yes", "no", "no")
    assert said["ForceCommand"].endswith("orted_only.py")


@pytest.mark.parametrize(("address", "named"), [("127.0.0.1", True), ("10.0.0.1", False)])
def test_open_mpi_is_told_of_loopback_where_the_workers_are_there(address: str, named: bool) -> None:
    workers = {1: Announcement(address=address, port=2222, host_key="k")}
    assert ("btl_tcp_if_include" in mpirun(Path("/mpi"), workers, ranks=2)) is named


def test_a_rank_whose_daemon_is_gone_is_no_cause_unless_it_says_why() -> None:
    assert first_cause([Ended(rank=1, code=195)]).cause == "PeerLost"
    words = failure(exit_code=70, cause="OutputFailed", text="No space.", hint="")
    assert first_cause([Ended(rank=1, code=195, last=words)]).cause == "OutputFailed"


@pytest.mark.parametrize(
    ("asked", "run"),
    [
        ('  orted --daemonize -mca ess "env"', ["orted", "--daemonize", "-mca", "ess", "env"]),
        ("( test ! -r ./.profile || . ./.profile;  orted -mca a b )", ["orted", "-mca", "a", "b"]),
        ("orted; touch /tmp/x", []),
        ("cat /etc/passwd", []),
        ("", []),
    ],
)
def test_a_door_leads_to_open_mpis_daemon_whatever_the_users_shell_is(asked: str, run: list[str]) -> None:
    assert daemon(asked) == run
