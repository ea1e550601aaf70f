"""Two runs of one name, in two namespaces, that have been given one place: the second is refused, and touches nothing."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.unit.trainer.starting import a_config
from trainingrun_trainer import owner
from trainingrun_trainer.agent.logbook import Logbook
from trainingrun_trainer.errors import TrainerError
from trainingrun_trainer.output.volume import VolumePlace
from trainingrun_trainer.settings import OutputPaths


def paths(root: Path, *, namespace: str = "team-a", name: str = "mnist", uid: str = "uid-1", **spec: Any) -> OutputPaths:
    run = {"namespace": namespace, "name": name, "uid": uid}
    return OutputPaths(root=VolumePlace(root, "s3://models"), config=a_config(run=run, **spec))


OWN = {
    "the same attempt again": {},
    "the next attempt": {"attempt": 2},
    "one that was deleted and made again": {"uid": "uid-2"},
    "another name": {"name": "fashion", "namespace": "team-b"},
}


@pytest.mark.parametrize("changes", OWN.values(), ids=OWN)
def test_a_run_takes_what_is_its_own(tmp_path: Path, changes: dict[str, Any]) -> None:
    owner.claim(paths(tmp_path))
    successor = paths(tmp_path, **changes)
    owner.claim(successor)
    owner.require_own(successor)


def test_a_run_of_another_namespace_is_refused_in_words(tmp_path: Path) -> None:
    owner.claim(paths(tmp_path))
    other = paths(tmp_path, namespace="team-b", uid="uid-2")
    with pytest.raises(
        TrainerError, match="s3://models/mnist belongs to the TrainingRun team-a/mnist: this one, team-b/mnist"
    ) as refused:
        owner.claim(other)
    assert (refused.value.cause, refused.value.exit_code) == ("BadConfig", 64)
    assert "spec.output another folder" in refused.value.hint
    assert owner.named(other) == owner.named(paths(tmp_path))


def test_of_two_that_come_at_once_one_is_refused_before_it_publishes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = paths(tmp_path), paths(tmp_path, namespace="team-b")
    write = VolumePlace.write

    def overtaken(place: VolumePlace, content: bytes) -> None:
        write(place, content)
        monkeypatch.setattr(VolumePlace, "write", write)
        write(place, content.replace(b"team-a", b"team-b"))

    monkeypatch.setattr(VolumePlace, "write", overtaken)
    with pytest.raises(TrainerError, match="belongs to the TrainingRun team-b/mnist"):
        owner.claim(first)
    owner.claim(second)


def test_a_note_that_nobody_can_read_is_none(tmp_path: Path) -> None:
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist" / owner.NAME).write_bytes(b"{")
    owner.claim(paths(tmp_path))
    assert owner.named(paths(tmp_path)) == owner.Owner(namespace="team-a", name="mnist", uid="uid-1")


def test_the_log_of_a_run_that_is_refused_is_not_written_over_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = paths(tmp_path), paths(tmp_path, namespace="team-b")
    owner.claim(first)
    for place, line in ((first, "mine"), (second, "other")):
        book = Logbook(scratch=tmp_path)
        book.write(line)
        book.save(place.log(0), permit=partial(owner.require_own, place))
    assert first.log(0).read() == b"mine\n"
    assert "could not be kept at s3://models/mnist/logs/1/0.log: s3://models/mnist belongs to" in capsys.readouterr().err
