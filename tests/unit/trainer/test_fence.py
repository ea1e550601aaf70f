"""Two attempts, or two rounds, over one output: the newer one wins, whole, and the older one says so and ends."""

import errno
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.trainer.stages_alone import ABOUT, Alone, alone, easy_samples
from tests.unit.trainer.starting import Start, a_config, result_of
from trainingrun.api import Result
from trainingrun_trainer import fence
from trainingrun_trainer.artifacts.predictions import Predictions
from trainingrun_trainer.checkpoint import LoopState
from trainingrun_trainer.compression.made import Compressed
from trainingrun_trainer.errors import TrainerError
from trainingrun_trainer.output import exchange
from trainingrun_trainer.output.exchange import replace_folder
from trainingrun_trainer.output.volume import VolumePlace
from trainingrun_trainer.settings import OutputPaths
from trainingrun_trainer.stages import artifact_list
from trainingrun_trainer.stages import export as exporting
from trainingrun_trainer.stages.ending import Ending


def paths(root: Path, *, uid: str = "uid-1", **spec: Any) -> OutputPaths:
    return OutputPaths(
        root=VolumePlace(root, "pvc://models"), config=a_config(run={"namespace": "team", "name": "run", "uid": uid}, **spec)
    )


NEWER = {
    "the next attempt": {"attempt": 3},
    "an attempt of the next round": {"attempt": 3, "round": 2},
    "an attempt with more digits": {"attempt": 10},
}
NOT_NEWER = {
    "an earlier attempt": {"attempt": 1},
    "an attempt of another run": {"attempt": 3, "uid": "uid-2"},
}


@pytest.mark.parametrize("other", NEWER.values(), ids=NEWER)
def test_an_attempt_is_superseded_by(other: dict[str, Any], tmp_path: Path) -> None:
    own = paths(tmp_path, attempt=2)
    fence.claim(own)
    fence.claim(paths(tmp_path, **other))
    with pytest.raises(TrainerError, match=f"Attempt 2 ends: attempt {other['attempt']} of this run") as ended:
        fence.require_newest(own)
    assert ended.value.cause == "Superseded"


@pytest.mark.parametrize("other", NOT_NEWER.values(), ids=NOT_NEWER)
def test_an_attempt_is_not_superseded_by(other: dict[str, Any], tmp_path: Path) -> None:
    fence.claim(paths(tmp_path, **other))
    fence.claim(paths(tmp_path, attempt=2))


def test_an_attempt_that_comes_too_late_does_not_begin(tmp_path: Path) -> None:
    fence.claim(paths(tmp_path, attempt=2))
    with pytest.raises(TrainerError, match="attempt 2 of this run has taken over"):
        fence.claim(paths(tmp_path, attempt=1))


@pytest.mark.long
def test_an_older_attempt_ends_at_its_next_checkpoint_and_the_newer_one_publishes(start: Start, tmp_path: Path) -> None:
    older = start(attempt=1, replicas=2, training={"epochs": 500})
    older.wait_for_step(130)
    newer = start(attempt=2, replicas=1, training={"epochs": 4})
    first, second = older.wait()
    assert (first.cause, first.exit_code) == ("Superseded", 70)
    assert "attempt 2 of this run has taken over the output" in first.message
    assert (second.cause, second.exit_code) == ("PeerLost", 69)
    assert newer.wait()[0].exit_code == 0
    assert result_of(tmp_path)["attempt"] == 2
    published = sorted(path.name for path in (tmp_path / "output" / "run").iterdir())
    assert published == [".owner.json", "logs", "metrics.jsonl", "model", "report.html", "result.json", "tensorboard"]
    assert sorted(path.name for path in (tmp_path / "output" / "run" / "logs").iterdir()) == ["1", "2"]


def test_a_new_round_trains_anew_and_its_model_takes_the_place_of_the_old_one(start: Start, tmp_path: Path) -> None:
    first = start(attempt=1, replicas=1).wait()[0].result
    gang = start(attempt=2, replicas=1, round=2, training={"epochs": 1})
    second = gang.wait()[0].result
    assert first is not None
    assert second is not None
    assert "going on from checkpoint" not in gang.log(0)
    assert (first.epochs, second.epochs) == (2, 1)
    assert artifact_list.digest_of_folder(tmp_path / "output" / "run" / "model")[0] == second.artifacts[0].sha256
    assert second.artifacts[0].sha256 != first.artifacts[0].sha256
    published = sorted(path.name for path in (tmp_path / "output" / "run").iterdir())
    assert published == [".owner.json", "logs", "metrics.jsonl", "model", "report.html", "result.json", "tensorboard"]


def publish(rank: Alone) -> Result:
    """Publish an untrained network, as after one epoch."""
    samples = easy_samples()
    state = LoopState(epoch=1, best_epoch=1)
    ending = Ending(about=ABOUT, state=state, metrics={}, predictions=Predictions(), compressed=Compressed(), started=0.0)
    return exporting.export(rank.context, rank.network(samples), samples, ending).result


def test_an_attempt_overtaken_before_it_publishes_does_not_even_save_its_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "save_model", lambda *_, **__: pytest.fail("the model was saved"))
    older = alone(tmp_path, attempt=1)
    fence.claim(older.paths)
    fence.claim(paths(tmp_path, attempt=2))
    with pytest.raises(TrainerError, match="attempt 2 of this run has taken over"):
        publish(older)
    assert older.paths.run.names() == []


def overtaken_after(step: str, *, of: Any, by: OutputPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a newer attempt begin right after this step of the export."""
    original: Callable[..., Any] = getattr(of, step)

    def overtaken(*arguments: Any, **options: Any) -> Any:
        done = original(*arguments, **options)
        fence.claim(by)
        return done

    monkeypatch.setattr(of, step, overtaken)


def test_an_attempt_overtaken_while_it_saves_its_model_publishes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rank = alone(tmp_path, attempt=1)
    overtaken_after("digest_of_folder", of=artifact_list, by=paths(tmp_path, attempt=2), monkeypatch=monkeypatch)
    with pytest.raises(TrainerError, match="Attempt 1 ends"):
        publish(rank)
    assert rank.paths.run.names() == []
    assert "finished.json" not in rank.paths.round.names()


def test_an_attempt_overtaken_while_it_publishes_does_not_finish_the_round(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rank = alone(tmp_path, attempt=1)
    overtaken_after("publish", of=VolumePlace, by=paths(tmp_path, attempt=2), monkeypatch=monkeypatch)
    with pytest.raises(TrainerError, match="Attempt 1 ends"):
        publish(rank)
    assert "finished.json" not in rank.paths.round.names()
    newer = alone(tmp_path, attempt=2)
    assert publish(newer).artifacts[0].sha256 == artifact_list.digest_of_folder(tmp_path / "run" / "model")[0]


def a_folder(path: Path, content: str) -> Path:
    path.mkdir()
    (path / "file").write_text(content)
    return path


def test_whoever_looks_while_a_folder_is_replaced_finds_a_whole_one(tmp_path: Path) -> None:
    target, spare = a_folder(tmp_path / "model", "old"), a_folder(tmp_path / ".new", "new")
    found: set[str] = set()
    is_over = threading.Event()

    def look() -> None:
        while not is_over.is_set():
            try:
                found.add((target / "file").read_text())
            except FileNotFoundError:
                found.add("nothing")

    reader = threading.Thread(target=look)
    reader.start()
    for _ in range(5000):
        replace_folder(spare, target=target)
    is_over.set()
    reader.join()
    assert found == {"old", "new"}


def test_a_folder_is_replaced_also_where_two_cannot_change_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(one: Path, other: Path) -> None:
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(exchange, "_exchange", refuse)
    target, spare = a_folder(tmp_path / "model", "old"), a_folder(tmp_path / ".new", "new")
    replace_folder(spare, target=target)
    assert ((target / "file").read_text(), (spare / "file").read_text()) == ("new", "old")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".new", "model"]
