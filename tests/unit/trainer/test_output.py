"""The output: what a volume and an object store promise alike, and what each does when it cannot."""

import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.object_store.server import ObjectStore, google_store, put_credentials
from tests.unit.trainer.stages_alone import ABOUT, Alone, alone, easy_samples
from tests.unit.trainer.starting import a_config, free_ports
from tests.unit.trainer.stores import a_place, a_store, an_access
from trainingrun_trainer import checkpoint as checkpoints
from trainingrun_trainer import fence
from trainingrun_trainer.artifacts.measurements import Latency, Measurements
from trainingrun_trainer.artifacts.predictions import Predictions
from trainingrun_trainer.checkpoint import Checkpoint, LoopState
from trainingrun_trainer.compression.made import Compressed, Made
from trainingrun_trainer.errors import TrainerError
from trainingrun_trainer.output.objects import ObjectPlace, Store
from trainingrun_trainer.output.place import Place
from trainingrun_trainer.output.volume import VolumePlace
from trainingrun_trainer.patience import Patience
from trainingrun_trainer.settings import OutputPaths
from trainingrun_trainer.stages import artifact_list
from trainingrun_trainer.stages import export as exporting
from trainingrun_trainer.stages.ending import Ending
from trainingrun_trainer.tuning.clerk import Clerk
from trainingrun_trainer.tuning.journal import Journal


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    with a_store(tmp_path_factory.mktemp("s3") / "store") as running:
        yield running


@pytest.fixture(scope="module")
def google(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    folder, (port,) = tmp_path_factory.mktemp("gcs"), free_ports(1)
    (folder / "models").mkdir()
    with google_store(folder=folder, address=f"127.0.0.1:{port}") as running:
        yield running


@pytest.fixture(params=["volume", "object store", "Google's store"])
def place(request: pytest.FixtureRequest, tmp_path: Path, store: ObjectStore, google: ObjectStore) -> Place:
    """An empty output of each kind."""
    if request.param == "Google's store":
        location = {"uri": f"gs://models/{tmp_path.name}", "endpoint": google.endpoint}
        return ObjectPlace(Store(an_access(location, mount=tmp_path)))
    if request.param == "volume":
        return VolumePlace(tmp_path / "models" / "team", "pvc://models/team")
    return a_place(store, mount=put_credentials(tmp_path / "keys"), uri=f"s3://models/{tmp_path.name}")


def test_a_file_is_read_as_it_was_written_last(place: Place) -> None:
    file = place.join("a").join("b.txt")
    with pytest.raises(FileNotFoundError):
        file.read()
    for content in (b"first", b"", b"last"):
        file.write(content)
        assert file.read() == content
    assert (place.names(), place.join("a").names(), place.join("none").names()) == (["a"], ["b.txt"], [])
    file.remove()
    file.remove()
    assert place.join("a").names() == []


def test_additions_stand_one_after_the_other(place: Place) -> None:
    place.join("log").append(b"one\n")
    place.join("log").append(b"two\n")
    assert place.join("log").read() == b"one\ntwo\n"


def test_a_folder_is_found_once_it_is_claimed(place: Place) -> None:
    place.join("7").claim()
    place.join("7").claim()
    assert (place.names(), place.join("7").names()) == (["7"], [])


def test_a_local_file_is_put(place: Place, tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"x" * 100_000)
    place.join("logs").join("0.log").put(tmp_path / "log")
    assert place.join("logs").join("0.log").read() == b"x" * 100_000
    assert place.join("logs").names() == ["0.log"]


def publish_files(place: Place, *names: str) -> None:
    with place.join("model").staging("1") as staged:
        for name in names:
            (staged / name).parent.mkdir(parents=True, exist_ok=True)
            (staged / name).write_text(f"of {len(names)}")
        place.join("model").publish(staged, seal=place.join("result.json"))


def test_a_published_folder_has_the_new_files_and_none_of_the_old(place: Place) -> None:
    publish_files(place, "a", "sub/b", "sub/old")
    publish_files(place, "a", "sub/b")
    assert (place.names(), place.join("model").names()) == (["model"], ["a", "sub"])
    assert place.join("model").join("sub").names() == ["b"]
    assert place.join("model").join("a").read() == b"of 2"


def test_on_a_store_a_folder_is_without_its_seal_while_it_changes(
    store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = a_place(store, mount=put_credentials(tmp_path / "keys"), uri="s3://models/sealed")
    publish_files(place, "a", "b")
    place.join("result.json").write(b"whole")
    seen: list[list[str]] = []
    really_put = ObjectPlace.put

    def put(self: ObjectPlace, file: Path) -> None:
        really_put(self, file)
        seen.append(place.names())

    monkeypatch.setattr(ObjectPlace, "put", put)
    publish_files(place, "a", "b")
    assert seen == [["model"], ["model"]]


def on(place: Place, **spec: Any) -> Alone:
    """A rank alone that writes there."""
    rank = alone(Path("/none"), **spec)
    rank.root = place
    return rank


def publish(rank: Alone, *, models: Sequence[str] = ()) -> Any:
    """Publish an untrained network, and TFLite models of these names."""
    samples, state = easy_samples(), LoopState(epoch=1, best_epoch=1)
    context = rank.context
    measured = Measurements(accuracy=0.9, loss=0.1, size_bytes=9, gzipped_bytes=9, latency=Latency(1, 2))
    made = Compressed(models=[Made(name, name.encode(), measured, Predictions(), is_final=True) for name in models])
    ending = Ending(about=ABOUT, state=state, metrics={}, predictions=Predictions(), compressed=made, started=0.0)
    return exporting.export(context, rank.network(samples), samples, ending).result


def test_a_model_on_a_store_is_what_its_digest_says_and_is_found_again(store: ObjectStore, tmp_path: Path) -> None:
    rank = on(a_place(store, mount=put_credentials(tmp_path / "keys"), uri="s3://models/exported"))
    result = publish(rank)
    folder = store.folder / "models" / "exported" / "run"
    assert artifact_list.digest_of_folder(folder / "model") == (result.artifacts[0].sha256, result.artifacts[0].size_bytes)
    assert result.artifacts[0].uri == "s3://models/exported/run/model"
    assert sorted(path.name for path in folder.iterdir()) == ["model", "report.html", "result.json"]
    assert exporting.published(rank.context) == exporting.Published(result=result)


def test_models_of_an_earlier_round_are_taken_away(place: Place) -> None:
    publish(on(place, attempt=1), models=("dense", "dense-int8"))
    run = place.join("run")
    assert [run.join(f"{name}.tflite").read() for name in ("dense", "dense-int8")] == [b"dense", b"dense-int8"]
    publish(on(place, attempt=2, round=2), models=("dense", "pruned-0.5"))
    assert run.names() == ["dense.tflite", "model", "pruned-0.5.tflite", "report.html", "result.json"]


def test_on_a_store_too_an_attempt_that_is_overtaken_publishes_nothing(store: ObjectStore, tmp_path: Path) -> None:
    place = a_place(store, mount=put_credentials(tmp_path / "keys"), uri="s3://models/overtaken")
    older, newer = on(place, attempt=9), on(place, attempt=10, round=2)
    fence.claim(older.paths)
    fence.claim(newer.paths)
    with pytest.raises(TrainerError, match=r"attempt 10 of this run has taken over the output, at s3://models/overtaken"):
        publish(older)
    assert older.paths.run.names() == []


def a_checkpoint(epoch: int) -> Checkpoint:
    return Checkpoint(state=LoopState(epoch=epoch), weights=[], optimizer=[], best=[])


def test_checkpoints_on_a_store_are_kept_and_found_as_on_a_volume(place: Place) -> None:
    for attempt, epochs in ((1, (1, 2, 3)), (2, (2,)), (7, (9,))):
        for epoch in epochs:
            checkpoints.save(a_checkpoint(epoch), folder=place.join(str(attempt)), keep=2)
    assert len(place.join("1").names()) == 4
    found = checkpoints.newest(place, before=3)
    assert found is not None
    assert Checkpoint.decode(*found).state.epoch == 3


def a_search(place: Place, *, attempt: int) -> tuple[Clerk, Journal]:
    """The study of an attempt that keeps its journal there."""
    values = {"name": "training.optimizer.learningRate", "categorical": ["0.1", "0.2", "0.3"]}
    tuning = {"algorithm": "Grid", "epochsPerTrial": 2, "parameters": [values]}
    rank = on(place, attempt=attempt, tuning=tuning)
    fence.claim(rank.paths)
    journal = Journal(rank.paths)
    return Clerk(rank.config, journal), journal


def test_a_search_goes_on_from_a_store_as_from_a_volume(place: Place) -> None:
    first, _ = a_search(place, attempt=1)
    for trial in (0, 1):
        assert first.ask(rank=0).trial == trial
        first.report(trial=trial, epoch=1, value=0.5)
        if trial == 0:
            first.tell(trial=trial, kind="completed")
    first.close()

    second, journal = a_search(place, attempt=2)
    assert [(event.trial, event.event) for event in journal.before] == [
        *((0, "started"), (0, "epoch"), (0, "completed")),
        *((1, "started"), (1, "epoch"), (1, "interrupted")),
    ]
    turn = second.ask(rank=0)
    assert (turn.trial, turn.parameters) == (1, {"training.optimizer.learningRate": "0.2"})

    third, _ = a_search(place, attempt=3)  # nothing was said when the second one ended
    turn = third.ask(rank=0)
    assert (turn.trial, turn.status.completed, turn.status.failed) == (2, 1, 1)


def test_a_store_that_is_down_is_no_output_without_checkpoints(tmp_path: Path) -> None:
    """Else the next attempt would train from the start."""
    with a_store(tmp_path / "store") as store:
        place = a_place(store, mount=put_credentials(tmp_path / "keys"), patience=Patience(0.5))
        checkpoints.save(a_checkpoint(1), folder=place.join("1"), keep=1)
    with pytest.raises(TrainerError, match=r"s3://models/team \(spec.output.uri\) did not answer for") as down:
        checkpoints.newest(place, before=1)
    assert (down.value.cause, down.value.exit_code) == ("OutputFailed", 70)
    assert "spec.output.endpoint" in down.value.hint


def test_a_store_that_goes_down_while_a_checkpoint_is_read_is_not_a_damaged_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with a_store(tmp_path / "store") as store:
        place = a_place(store, mount=put_credentials(tmp_path / "keys"), patience=Patience(0.5))
        checkpoints.save(a_checkpoint(1), folder=place.join("1"), keep=1)
        names = {"": ["1"], "1": place.join("1").names()}
    monkeypatch.setattr(ObjectPlace, "names", lambda place: names[place.name])
    with pytest.raises(TrainerError, match="did not answer for"):
        checkpoints.newest(place, before=1)


@pytest.mark.parametrize("uri", ["s3://nowhere/team", "gs://nowhere/team"])
def test_a_bucket_that_is_not_there_is_named_before_anything_is_trained(
    store: ObjectStore, google: ObjectStore, tmp_path: Path, uri: str
) -> None:
    server = store if uri.startswith("s3") else google
    keys = {"secretName": "keys"} if server is store else {}
    access = an_access({"uri": uri, "endpoint": server.endpoint, **keys}, mount=put_credentials(tmp_path / "keys"))
    with pytest.raises(TrainerError, match=f"There is no bucket nowhere for {uri}") as missing:
        fence.claim(on(ObjectPlace(Store(access))).paths)
    assert missing.value.exit_code == 64


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A volume with 64 KiB of space."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], check=True)
    try:
        yield disk
    finally:
        subprocess.run(["umount", disk], check=True)


FILLING: dict[str, Callable[[Alone], object]] = {
    "a checkpoint": lambda rank: rank.paths.attempt.join("c").write(b"x" * 100_000),
    "a log": lambda rank: rank.paths.log(0).put(Path(__file__).parent.parent.parent.parent / "requirements" / "dev.txt"),
    "a model": publish,
}


@pytest.mark.parametrize("fill", FILLING.values(), ids=FILLING)
def test_a_full_volume_is_named_and_nothing_half_written_is_left_on_it(
    full_disk: Path, fill: Callable[[Alone], object]
) -> None:
    rank = alone(full_disk)
    with pytest.raises(TrainerError, match="No space left on device") as full:
        fill(rank)
    assert (full.value.cause, full.value.exit_code) == ("OutputFailed", 70)
    assert "has space" in full.value.hint
    assert [path for path in full_disk.rglob("*") if path.is_file()] == []


def test_paths_of_a_claim_begin_with_its_own(tmp_path: Path) -> None:
    config = a_config(output={"persistentVolumeClaim": {"claimName": "models", "path": "a/b"}})
    rank = alone(tmp_path)
    paths = OutputPaths.of(config, settings=rank.context.settings)
    assert paths.run.uri == "pvc://models/a/b/run"
    paths.run.join("x").write(b"1")
    assert (tmp_path / "a" / "b" / "run" / "x").read_bytes() == b"1"
