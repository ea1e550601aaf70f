"""What processes share is made by the first and taken away by the last, also when one has died. No cluster is needed."""

import os
import subprocess
from pathlib import Path

import pytest

from cluster.processes import start_time
from tests.faults.sharing import leashed, shared
from tests.patience import patience
from tests.waiting import wait_for

DEAD = f"user.{2**22 + 1}.1"
"""The mark of a process whose pid the kernel gives to nobody."""


def use(folder: Path) -> list[str]:
    """What is done for a process that uses what is shared and then leaves it."""
    done: list[str] = []
    with shared(folder, up=lambda: done.append("up"), down=lambda: done.append("down")):
        done.append("used")
    return done


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """The mark of another process that lives: that which has started this one."""
    mark = tmp_path / f"user.{os.getppid()}.{start_time(os.getppid())}"
    mark.touch()
    return mark


def test_one_that_is_alone_makes_it_and_takes_it_away(tmp_path: Path) -> None:
    assert use(tmp_path) == ["up", "used", "down"]


def test_one_that_is_not_alone_leaves_it_as_it_is(tmp_path: Path, other: Path) -> None:
    assert use(tmp_path) == ["used"]
    other.unlink()
    assert use(tmp_path) == ["up", "used", "down"]


def test_one_that_has_died_does_not_count(tmp_path: Path) -> None:
    (tmp_path / DEAD).touch()
    assert use(tmp_path) == ["up", "used", "down"]


def test_one_that_cannot_be_made_is_tried_again_by_the_next(tmp_path: Path) -> None:
    def fail() -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError), shared(tmp_path, up=fail, down=fail):
        pass
    assert use(tmp_path) == ["up", "used", "down"]


@pytest.mark.parametrize("ends", ["session", "program"])
def test_a_program_on_a_leash_ends_with_the_session_and_the_leash_with_the_program(ends: str) -> None:
    lives = {"session": "1000", "program": "1000", ends: "0.2"}
    with subprocess.Popen(["sleep", lives["session"]]) as held:
        with subprocess.Popen(leashed(["sleep", lives["program"]], to=held.pid)) as leash:
            if ends == "session":
                held.wait(timeout=patience(10))
            leash.wait(timeout=patience(10))
        held.kill()


def test_a_leash_that_is_ended_ends_its_program(tmp_path: Path) -> None:
    command: list[str | Path] = ["sh", "-c", 'echo $$ > "$0/pid"; exec sleep 1000', tmp_path]
    with subprocess.Popen(leashed(command, to=os.getpid())) as leash:
        text = wait_for(lambda: _read(tmp_path / "pid"), bool, what="the program", timeout=10)
        leash.terminate()
    wait_for(lambda: start_time(int(text)), lambda started: started is None, what="the program to end", timeout=10)


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""
