"""What of a run's state stays on its output, and what does not."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.trainer.starting import a_config
from trainingrun_trainer import checkpoint as checkpoints
from trainingrun_trainer.checkpoint import Checkpoint, LoopState
from trainingrun_trainer.keeping import Keeper, retire
from trainingrun_trainer.output.volume import VolumePlace
from trainingrun_trainer.settings import OutputPaths


def paths(root: Path, **spec: Any) -> OutputPaths:
    return OutputPaths(root=VolumePlace(root, "pvc://models"), config=a_config(**spec))


def a_checkpoint(epoch: int, *, step: int = 0) -> Checkpoint:
    return Checkpoint(state=LoopState(epoch=epoch, step=step), weights=[np.zeros(3, np.float32)], optimizer=[], best=[])


def keeper(root: Path, *, attempt: int, round: int = 1, course: str = "", keep: int = 2) -> Keeper:
    place = paths(root, attempt=attempt, round=round)
    return Keeper(place, place.round.join(course) if course else place.round, keep=keep)


def kept(root: Path) -> list[str]:
    """Every file of a checkpoint, as `round[/course]/attempt epoch ending`."""
    found = root.rglob("*checkpoint-*")
    state = root / ".trainingrun" / "uid-1"
    return sorted(f"{path.parent.relative_to(state)} {int(path.stem.split('-')[1])} {path.suffix}" for path in found)


@pytest.mark.parametrize("keep", [1, 2, 5])
def test_sixty_preemptions_leave_no_more_checkpoints_than_are_to_be_kept(tmp_path: Path, keep: int) -> None:
    for attempt in range(1, 61):
        one = keeper(tmp_path, attempt=attempt, keep=keep)
        for epoch in (2 * attempt, 2 * attempt + 1):
            one.save(a_checkpoint(epoch))
            assert len(kept(tmp_path)) <= 2 * keep
    found = checkpoints.newest(paths(tmp_path).round, before=60)
    assert found is not None
    assert Checkpoint.decode(*found).state.epoch == 121


def test_an_older_checkpoint_stays_until_there_are_enough_of_this_attempt(tmp_path: Path) -> None:
    for epoch in (1, 2):
        keeper(tmp_path, attempt=1).save(a_checkpoint(epoch))
    second = keeper(tmp_path, attempt=2)
    second.save(a_checkpoint(3))
    assert kept(tmp_path) == ["1/1 2 .json", "1/1 2 .npz", "1/2 3 .json", "1/2 3 .npz"]
    second.save(a_checkpoint(4))
    assert {line.split()[0] for line in kept(tmp_path)} == {"1/2"}


TORN = {
    "arrays without their note": "checkpoint-00000007-00000000.npz",
    "arrays half written": ".checkpoint-00000007-00000000.npz.new",
    "a note half written": ".checkpoint-00000007-00000000.json.new",
}


@pytest.mark.parametrize("name", TORN.values(), ids=TORN)
@pytest.mark.parametrize("attempt", [1, 2], ids=["of an older attempt", "of this attempt, before it was preempted"])
def test_what_is_left_of_a_torn_checkpoint_goes(tmp_path: Path, name: str, attempt: int) -> None:
    folder = tmp_path / ".trainingrun" / "uid-1" / "1" / str(attempt)
    folder.mkdir(parents=True)
    (folder / name).write_bytes(b"x")
    keeper(tmp_path, attempt=2).save(a_checkpoint(1))
    assert kept(tmp_path) == ["1/2 1 .json", "1/2 1 .npz"]


def test_a_checkpoint_of_a_newer_attempt_is_left_alone(tmp_path: Path) -> None:
    keeper(tmp_path, attempt=9).save(a_checkpoint(5))
    keeper(tmp_path, attempt=2).save(a_checkpoint(1))
    assert {line.split()[0] for line in kept(tmp_path)} == {"1/2", "1/9"}


def test_courses_keep_their_own_and_rounds_before_keep_nothing(tmp_path: Path) -> None:
    keeper(tmp_path, attempt=1).save(a_checkpoint(3))
    keeper(tmp_path, attempt=1, course="pruned-0.5").save(a_checkpoint(1))
    assert [line for line in kept(tmp_path) if "npz" in line] == ["1/1 3 .npz", "1/pruned-0.5/1 1 .npz"]
    keeper(tmp_path, attempt=2, round=2).save(a_checkpoint(1))
    assert kept(tmp_path) == ["2/2 1 .json", "2/2 1 .npz"]


def test_after_success_only_those_of_the_training_stay(tmp_path: Path) -> None:
    for attempt in (1, 2):
        for course in ("", "pruned-0.5", "pruned-0.5-aware"):
            one = keeper(tmp_path, attempt=attempt, course=course, keep=3)
            for epoch in (1, 2):
                one.save(a_checkpoint(epoch))
    (tmp_path / ".trainingrun" / "uid-1" / "1" / "choices.json").write_bytes(b"[]")
    retire(paths(tmp_path, attempt=3), keep=2)
    assert kept(tmp_path) == ["1/2 1 .json", "1/2 1 .npz", "1/2 2 .json", "1/2 2 .npz"]
    assert (tmp_path / ".trainingrun" / "uid-1" / "1" / "choices.json").exists()


def test_a_checkpoint_of_another_format_is_passed_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keeper(tmp_path, attempt=1).save(a_checkpoint(1))
    keeper(tmp_path, attempt=1).save(a_checkpoint(2))
    folder = tmp_path / ".trainingrun" / "uid-1" / "1" / "1"
    note = folder / "checkpoint-00000002-00000000.json"
    note.write_text(note.read_text().replace('"format": 2', '"format": 3'))
    found = checkpoints.newest(paths(tmp_path).round, before=1)
    assert found is not None
    assert Checkpoint.decode(*found).state.epoch == 1
    assert "it is of format 3, and this image reads 2" in capsys.readouterr().out
