"""The world of MPI gangs on this machine's loopback: ports for sshd, folders for keys, a token, and programs that fail."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.unit.trainer.starting import free_ports
from trainingrun_trainer.agent.transport.mpi import PROGRAMS

MISSING = [program for program in PROGRAMS if shutil.which(program) is None]
needs_mpi = pytest.mark.skipif(bool(MISSING), reason=f"{', '.join(MISSING)} are not installed")

Variables = dict[int, dict[str, str]]


@contextmanager
def surroundings(replicas: int = 2) -> Iterator[Variables]:
    """Variables of each worker; the folders are short-lived, and have short names, as sockets need."""
    folder = Path(tempfile.mkdtemp(prefix="mpi-"))
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # what sshd wants for root, and the package's service would have made
    ports = free_ports(replicas)
    try:
        yield {worker: _worker(folder / str(worker), port=ports[worker]) for worker in range(replicas)}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _worker(folder: Path, *, port: int) -> dict[str, str]:
    folder.mkdir()
    return {
        "TRAININGRUN_MPI_MOUNT": str(folder),
        "TRAININGRUN_SSH_PORT": str(port),
        "TRAININGRUN_TOKEN": "a secret",
        # Two workers on one machine would take each other's files for their own.
        "OMPI_MCA_btl_vader_backing_directory": str(folder),
        # Root, as in a container of developers; the image has a user.
        "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    }


def with_program(variables: Mapping[str, str], *, name: str, script: str) -> dict[str, str]:
    """Variables of a worker that finds this shell script first when it looks for the program."""
    folder = Path(variables["TRAININGRUN_MPI_MOUNT"]).parent / f"bin-{name}"
    folder.mkdir()
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return {**variables, "PATH": f"{folder}:{os.environ['PATH']}"}


def processes(variables: Variables, *, program: str = "") -> list[int]:
    """Pids of what runs for these workers beside their agents and ranks: sshd, mpirun, orted."""
    root = str(Path(variables[0]["TRAININGRUN_MPI_MOUNT"]).parent)
    found = {int(entry.name): _command(entry) for entry in Path("/proc").iterdir() if entry.name.isdigit()}
    return [pid for pid, words in found.items() if root in " ".join(words) and _name(words[0]).startswith(program)]


def _name(program: str) -> str:
    """The name of a program; sshd calls itself `sshd: /usr/sbin/sshd -D ...`."""
    return Path(program.split()[0]).name


def _command(process: Path) -> list[str]:
    """The words of a process; a process may end at any moment."""
    try:
        return (process / "cmdline").read_bytes().decode(errors="replace").strip("\0").split("\0")
    except OSError:
        return [""]
