"""What processes share is made by the first and taken away by the last, also when one has died. No cluster is needed."""

import os
from pathlib import Path

import pytest

from cluster.processes import start_time
from tests.faults.sharing import shared

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
