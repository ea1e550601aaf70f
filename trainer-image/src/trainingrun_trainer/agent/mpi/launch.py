"""What mpirun needs on worker 0 to reach the other workers, and how it is called. Pure.

Source: the man pages of Open MPI 4.1 (mpirun) and OpenSSH 9 (ssh_config, sshd).
"""

import ipaddress
import sys
from collections.abc import Mapping
from pathlib import Path

from trainingrun.api.base import Frozen
from trainingrun_trainer.agent.mpi import stand_in


class Announcement(Frozen):
    """Where a worker's sshd listens, and by which key it is known."""

    address: str
    port: int
    host_key: str


def files(folder: Path, workers: Mapping[int, Announcement], *, slots: int) -> dict[str, str]:
    """The files by name: worker 0 comes first, so its ranks have the first numbers, as with Gloo."""
    hosts = ["localhost", *(_name(worker) for worker in sorted(workers))]
    return {
        "hostfile": "".join(f"{host} slots={slots}\n" for host in hosts),
        "known_hosts": "".join(f"{_name(worker)} {each.host_key}\n" for worker, each in sorted(workers.items())),
        "ssh_config": "".join(_host(worker, each) for worker, each in sorted(workers.items())) + _all_hosts(folder),
    }


def mpirun(folder: Path, workers: Mapping[int, Announcement], *, ranks: int) -> list[str]:
    """The command: a stand-in for each rank, filling one worker after the other."""
    return [
        *("mpirun", "--hostfile", f"{folder}/hostfile", "-np", str(ranks), "-bind-to", "none", "-map-by", "slot"),
        # Only worker 0 has the key, so it reaches every worker itself.
        *_parameter("plm_rsh_agent", "ssh"),
        *_parameter("plm_rsh_args", f"-F {folder}/ssh_config"),
        *_parameter("plm_rsh_no_tree_spawn", "1"),
        *_parameter("pml", "ob1"),
        *_parameter("btl", "self,vader,tcp"),
        # Reading the memory of another process needs a capability.
        *_parameter("btl_vader_single_copy_mechanism", "none"),
        *_interfaces(workers),
        # A rank that waits must not take the processor from one that computes.
        *_parameter("mpi_yield_when_idle", "1"),
        *(sys.executable, "-I", "-S", stand_in.__file__),
    ]


def _name(worker: int) -> str:
    return f"worker-{worker}"


def _host(worker: int, known: Announcement) -> str:
    name = _name(worker)
    return f"Host {name}\n  HostName {known.address}\n  Port {known.port}\n  HostKeyAlias {name}\n"


def _all_hosts(folder: Path) -> str:
    return f"""\
Host *
  IdentityFile {folder}/key
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile {folder}/known_hosts
  GlobalKnownHostsFile none
  StrictHostKeyChecking yes
  CheckHostIP no
  UpdateHostKeys no
  PreferredAuthentications publickey
  BatchMode yes
  ForwardAgent no
  ForwardX11 no
  ClearAllForwardings yes
  ConnectTimeout 10
  ConnectionAttempts 3
  ServerAliveInterval 5
  ServerAliveCountMax 3
  LogLevel ERROR
"""


def _interfaces(workers: Mapping[int, Announcement]) -> list[str]:
    """Open MPI leaves loopback out, which is right unless the workers are there."""
    if not any(ipaddress.ip_address(each.address).is_loopback for each in workers.values()):
        return []
    return [*_parameter("btl_tcp_if_include", "lo"), *_parameter("oob_tcp_if_include", "lo")]


def _parameter(name: str, value: str) -> tuple[str, str, str]:
    return ("--mca", name, value)
