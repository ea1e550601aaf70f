"""Files through a pod: what becomes of pods, pipes and errors. The pod is a process of this machine."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from trainingrun.client import ReportError, UsageError, copying
from trainingrun.client.port import Executed
from trainingrun.client.volume_pod import MOUNT


class OneMachine:
    """A cluster whose pods run their commands here, with a folder in place of the claim."""

    def __init__(self, claim: Path) -> None:
        self.claim = claim
        self.pods: list[bool] = []

    def execute(self, pod: str, command: list[str], *, stdin: Any = None, stdout: Any = None, **_: Any) -> Executed:
        line = [sys.executable, *command[1:3], command[3].replace(MOUNT, str(self.claim))]
        done = subprocess.run(line, stdin=stdin, capture_output=True, check=False)
        if stdout is not None:
            stdout.write(done.stdout)
        return Executed(done.returncode, done.stderr.decode())


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OneMachine:
    """The cluster, without the waiting for pods."""
    (tmp_path / "claim").mkdir()
    made = OneMachine(tmp_path / "claim")

    @contextmanager
    def pod(cluster: OneMachine, *, is_writer: bool = False, **_: Any) -> Iterator[str]:
        cluster.pods.append(is_writer)
        yield "pod"

    monkeypatch.setattr(copying, "volume_pod", pod)
    return made


def test_a_folder_goes_there_and_comes_back(machine: Any, tmp_path: Path) -> None:
    (tmp_path / "pets" / "cat").mkdir(parents=True)
    (tmp_path / "pets" / "cat" / "1.bin").write_bytes(bytes(range(256)) * 2048)
    told: list[str] = []
    common: Any = {"claim": "datasets", "image": "trainer:1"}
    count = copying.upload(machine, tmp_path / "pets", path="data/pets", say=told.append, **common)
    assert (count, told) == (1, ["cat/1.bin"])
    (file,) = copying.download(machine, path="data/pets", into=tmp_path / "back", **common)
    assert file == tmp_path / "back" / "pets" / "cat" / "1.bin"
    assert file.read_bytes() == (tmp_path / "pets" / "cat" / "1.bin").read_bytes()
    assert machine.pods == [True, False], "who only reads mounts read-only"


def test_what_is_not_there_is_said_with_what_is(machine: Any, tmp_path: Path) -> None:
    (machine.claim / "cats").mkdir()
    with pytest.raises(ReportError, match=r"^dogs of the claim datasets cannot be read: it does not exist; there is: cats\.$"):
        copying.download(machine, claim="datasets", path="dogs", into=tmp_path, image="i")


def test_an_archive_does_not_leave_its_folder(machine: Any, tmp_path: Path) -> None:
    (machine.claim / "evil").mkdir()
    (machine.claim / "evil" / "link").symlink_to("/etc/passwd")
    with pytest.raises(ReportError, match="cannot be written to"):
        copying.download(machine, claim="datasets", path="evil", into=tmp_path / "back", image="i")


@pytest.mark.parametrize("path", ["../other", "a/../../b"])
def test_a_path_stays_in_the_claim(machine: Any, tmp_path: Path, path: str) -> None:
    with pytest.raises(UsageError, match="leads out of the claim"):
        copying.download(machine, claim="datasets", path=path, into=tmp_path, image="i")


def test_nothing_to_copy_is_said(machine: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing can be copied"):
        copying.upload(machine, tmp_path / "missing", claim="datasets", path="", image="i")
