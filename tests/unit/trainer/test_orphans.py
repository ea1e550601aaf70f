"""What users' code leaves behind: orphans are reaped, and what is left of a rank's group ends with it."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.waiting import wait_for
from trainingrun_trainer.agent.crew import Crew
from trainingrun_trainer.agent.logbook import Logbook
from trainingrun_trainer.agent.orphans import PR_SET_CHILD_SUBREAPER, Reaper, adopt, standing
from trainingrun_trainer.agent.processes import Child
from trainingrun_trainer.output.volume import VolumePlace


@pytest.fixture
def _as_process_1() -> Iterator[None]:
    """Orphans fall to the process of the tests for a while."""
    adopt()
    yield
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 0)


@pytest.fixture
def crew(tmp_path: Path) -> Iterator[Crew]:
    """Of ranks that leave a process behind."""
    logbook = Logbook(scratch=tmp_path)
    crew = Crew(attempt=1, size=1, logbook=logbook, module="tests.unit.trainer.parting_rank")
    yield crew
    crew.end()
    logbook.save(VolumePlace(tmp_path / "log", "log"))


def an_orphan(ending: str) -> int:
    """The number of a process whose parent has gone, and which ends at once in some way."""
    grandchild = f"import os, signal; {ending}"
    script = f"import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', {grandchild!r}]).pid)"
    return int(subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout)


def has_ended(pid: int) -> bool:
    found = standing(pid)
    return found is None or found.has_ended


@pytest.mark.parametrize(
    "ending",
    ["pass", "os._exit(3)", "os.kill(os.getpid(), signal.SIGKILL)", "os.setsid()"],
    ids=["ends", "fails", "killed", "daemon"],
)
@pytest.mark.usefixtures("_as_process_1")
def test_an_orphan_is_reaped(ending: str) -> None:
    orphan, reaper = an_orphan(ending), Reaper(own=Child.own)
    wait_for(lambda: has_ended(orphan), bool, what="the end of the orphan", timeout=30)
    assert reaper.reap() == []
    assert reaper.reap() == [orphan]
    assert standing(orphan) is None


@pytest.mark.parametrize("code", [0, 3, 70])
@pytest.mark.usefixtures("_as_process_1")
def test_the_exit_code_of_an_own_child_is_left_to_its_owner(code: int) -> None:
    child, reaper = Child([sys.executable, "-c", f"raise SystemExit({code})"]), Reaper(own=Child.own)
    wait_for(lambda: has_ended(child.pid), bool, what="the end of the child", timeout=30)
    assert [reaper.reap() for _ in range(3)] == [[], [], []]
    assert child.wait() == code
    assert child.pid not in Child.own()


def test_a_process_that_runs_is_not_waited_for() -> None:
    with Child([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        reaper = Reaper(own=set)
        assert [reaper.reap() for _ in range(2)] == [[], []]
        child.kill()


@pytest.mark.parametrize("how", ["0", "3", "killed", "lives"])
def test_what_a_rank_has_started_ends_with_it_also_when_it_has_ended_before(how: str, crew: Crew) -> None:
    crew.start(0, environment={"PARTING": how})
    [rank] = crew.ranks
    said = wait_for(lambda: rank.last, lambda last: last is not None, what="its last words", timeout=30)
    assert said is not None
    left = int(said.text)
    if how != "lives":
        wait_for(rank.poll, lambda code: code is not None, what="its end", timeout=30)
    try:
        assert not has_ended(left)
        crew.end()
        wait_for(lambda: has_ended(left), bool, what="the end of what it has left", timeout=10)
    finally:
        if not has_ended(left):
            os.kill(left, signal.SIGKILL)


def test_a_stranger_that_has_got_the_number_of_a_rank_is_left_alone(crew: Crew) -> None:
    crew.start(0, environment={"PARTING": "0"})
    [rank] = crew.ranks
    wait_for(rank.poll, lambda code: code is not None, what="its end", timeout=30)
    crew.sweep()
    with Child([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True) as stranger:
        rank._process.pid = stranger.pid
        crew.sweep()
        assert stranger.poll() is None
        stranger.kill()
        stranger.wait()
