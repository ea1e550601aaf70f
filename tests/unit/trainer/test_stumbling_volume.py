"""A mounted volume that stumbles or is away: what may pass is borne, and what will not is told with the way out."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import tensorflow as tf

from tests.unit.trainer.stages_alone import Alone, alone, easy_samples
from tests.unit.trainer.stumbling_disk import PASSING, StumblingDisk, mounted
from trainingrun.contract import Cause
from trainingrun_trainer import checkpoint as checkpoints
from trainingrun_trainer import disk_errors, fence
from trainingrun_trainer.checkpoint import Checkpoint, LoopState
from trainingrun_trainer.data.files import Piece, list_folder, read_file, read_pieces
from trainingrun_trainer.errors import TrainerError
from trainingrun_trainer.output import volume
from trainingrun_trainer.output.exchange import replace_folder
from trainingrun_trainer.output.volume import VolumePlace, borne, output_failed
from trainingrun_trainer.patience import Patience
from trainingrun_trainer.stages.saved_model import save_model
from trainingrun_trainer.storage import Folder, local_folder

TRIES = Patience(10.0, sleep=lambda seconds: None, chance=lambda: 0.0)
"""As many tries as it takes, without pauses."""
ONCE = Patience(0.0)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    (folder / "a").mkdir(parents=True)
    (folder / "a" / "1.bin").write_bytes(bytes(range(200)) * 10)
    (folder / "b.txt").write_text("hello")
    return folder


def steady(data: Path, patience: Patience = TRIES) -> Folder:
    return local_folder(data, patience=patience)


READS: dict[str, tuple[Callable[[Folder], object], object]] = {
    "a file": (lambda folder: read_file(folder, "b.txt", field="f"), b"hello"),
    "a folder": (list_folder, [("a", True), ("b.txt", False)]),
    "all files below": (lambda folder: len(folder.filesystem.find(folder.path)), 2),
    "pieces": (
        lambda folder: read_pieces(folder, [Piece(folder.join("b.txt"), 1, 3), Piece(folder.join("b.txt"), 0, 5)])[0],
        b"el",
    ),
    "a part of a file": (lambda folder: folder.filesystem.open(folder.join("a/1.bin")).read(300)[-1], 99),
    "whether there is one": (lambda folder: folder.filesystem.isfile(folder.join("b.txt")), True),
}


@pytest.mark.parametrize("number", PASSING, ids=errno.errorcode.get)
@pytest.mark.parametrize(("read", "expected"), READS.values(), ids=READS)
def test_a_read_that_stumbles_is_tried_again(
    data: Path, read: Callable[[Folder], object], expected: object, number: int
) -> None:
    with mounted(StumblingDisk(data, every=0, errors=[number])) as disk:
        assert read(steady(data)) == expected
    assert disk.stumbled > 0


@pytest.mark.parametrize("number", PASSING, ids=errno.errorcode.get)
@pytest.mark.parametrize("read", [read for read, _ in READS.values()], ids=READS)
def test_a_volume_that_stays_away_is_data_unavailable_and_not_bad_data(
    data: Path, read: Callable[[Folder], object], number: int
) -> None:
    folder = steady(data, ONCE)
    with mounted(StumblingDisk(data, every=1, errors=[number])), pytest.raises(TrainerError, match="could not be read") as away:
        read(folder)
    assert (away.value.cause, away.value.exit_code) == (Cause.DATA_UNAVAILABLE, 70)
    assert os.strerror(number) in str(away.value)
    assert "claim of spec.data.source" in away.value.hint


@pytest.mark.parametrize("number", [errno.EACCES, errno.EISDIR, errno.ELOOP], ids=errno.errorcode.get)
def test_a_file_that_will_never_be_read_is_bad_data_at_once(data: Path, number: int) -> None:
    with mounted(StumblingDisk(data, every=1, errors=[number])) as disk, pytest.raises(TrainerError) as wrong:
        read_file(steady(data), "b.txt", field="f")
    assert wrong.value.cause == Cause.BAD_DATA
    assert disk.calls == 1


@pytest.mark.parametrize("size", [2000, 1, 0], ids=["a file", "a byte", "an empty file"])
def test_a_read_that_comes_in_parts_is_put_together(data: Path, size: int) -> None:
    content = bytes(range(200)) * 10
    (data / "a" / "1.bin").write_bytes(content[:size])
    folder = steady(data)
    with mounted(StumblingDisk(data, every=10_000, is_short=True)):
        assert read_file(folder, "a/1.bin", field="f") == content[:size]
        assert read_pieces(folder, [Piece(folder.join("a/1.bin"), 0, size)]) == [content[:size]]
        with folder.filesystem.open(folder.join("a/1.bin")) as file:
            assert file.read() == content[:size]
            assert file.seek(-size, os.SEEK_END) == 0


def test_a_file_that_promises_more_than_it_gives_has_stumbled(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    really_read, reads = os.pread, iter([b"", b"he", b""])
    monkeypatch.setattr(os, "pread", lambda *arguments: next(reads, None) or really_read(*arguments))
    assert read_file(steady(data), "b.txt", field="f") == b"hello"


@pytest.mark.parametrize("left", [b"", b"hell"], ids=["emptied", "shorter"])
def test_a_file_that_is_shorter_than_it_was_listed_has_changed(data: Path, left: bytes) -> None:
    (data / "b.txt").write_bytes(left)
    folder = steady(data)
    with pytest.raises(
        TrainerError, match=rf"b.txt ends at byte {len(left)}, but was at least 5 bytes long when the data was listed"
    ) as wrong:
        read_pieces(folder, [Piece(folder.join("b.txt"), 0, 5)])
    assert wrong.value.cause == Cause.BAD_DATA


@pytest.fixture
def place(tmp_path: Path) -> VolumePlace:
    return VolumePlace(tmp_path / "models", "pvc://models", label="7", patience=TRIES)


def publish(place: VolumePlace) -> None:
    with place.join("model").staging("7") as staged:
        borne(TRIES, lambda: staged.mkdir(exist_ok=True))
        borne(TRIES, (staged / "new").touch)
        place.join("model").publish(staged, seal=place.join("result.json"))


def append_twice(place: VolumePlace) -> bytes:
    place.join("log").append(b"one\n")
    place.join("log").append(b"two\n")
    return place.join("log").read()


WRITES: dict[str, tuple[Callable[[VolumePlace], object], Callable[[VolumePlace], object], object]] = {
    "a file": (lambda place: place.join("a").write(b"x"), lambda place: place.join("a").read(), b"x"),
    "a copy": (lambda place: place.join("a").put(Path(__file__)), lambda place: len(place.join("a").read()) > 9, True),
    "an addition": (append_twice, lambda place: place.join("log").read(), b"one\ntwo\n"),
    "a folder": (lambda place: place.join("3").claim(), VolumePlace.names, ["3"]),
    "a removal": (lambda place: place.join("none").remove(), VolumePlace.names, []),
    "a model": (publish, lambda place: (place.names(), place.join("model").names()), (["model"], ["new"])),
}


@pytest.mark.parametrize("number", PASSING, ids=errno.errorcode.get)
@pytest.mark.parametrize(("write", "look", "expected"), WRITES.values(), ids=WRITES)
def test_a_write_that_stumbles_at_every_call_is_done_again_and_only_once(
    place: VolumePlace,
    write: Callable[[VolumePlace], object],
    look: Callable[[VolumePlace], object],
    expected: object,
    number: int,
) -> None:
    with mounted(StumblingDisk(place.path, every=0, errors=[number])) as disk:
        write(place)
    assert disk.stumbled > 0
    place.claim()
    assert look(place) == expected


@pytest.mark.parametrize("number", PASSING, ids=errno.errorcode.get)
@pytest.mark.parametrize("write", [write for write, _, _ in WRITES.values()], ids=WRITES)
def test_an_output_that_stays_away_is_output_failed(
    place: VolumePlace, write: Callable[[VolumePlace], object], number: int
) -> None:
    with mounted(StumblingDisk(place.path, every=1, errors=[number])), pytest.raises(TrainerError) as away:
        write(place.within(ONCE))
    assert (away.value.cause, away.value.exit_code) == (Cause.OUTPUT_FAILED, 70)
    assert "server or disk behind the claim of spec.output" in away.value.hint


def test_half_an_addition_is_taken_away_before_the_next_try(place: VolumePlace, monkeypatch: pytest.MonkeyPatch) -> None:
    place.join("log").append(b"one\n")
    failing = [errno.EIO, errno.EDQUOT]

    def fsync(descriptor: int) -> None:
        if failing:
            raise OSError(failing.pop(0), "half of it is there")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(TrainerError):
        place.join("log").append(b"two\n")  # a full disk is not waited for
    place.join("log").append(b"three\n")
    assert place.join("log").read() in (b"one\ntwo\nthree\n", b"one\nthree\n")
    failing.append(errno.ESTALE)
    place.join("log").append(b"four\n")
    assert place.join("log").read().count(b"four\n") == 1


@pytest.mark.parametrize("number", [errno.EIO, errno.ETIMEDOUT, errno.ESTALE], ids=errno.errorcode.get)
def test_a_model_whose_place_was_taken_although_the_server_says_no_is_not_changed_back(
    place: VolumePlace, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    (place.path / "model").mkdir(parents=True)
    (place.path / "model" / "old").touch()
    lost = [number]

    def exchange(new: Path, *, target: Path) -> None:
        replace_folder(new, target=target)
        if lost:
            raise OSError(lost.pop(), "the answer was lost")

    monkeypatch.setattr(volume, "replace_folder", exchange)
    publish(place)
    assert place.join("model").names() == ["new"]
    assert place.names() == ["model"]


LASTING = {
    errno.ENOSPC: "has space: enlarge it",
    errno.EDQUOT: "has space: enlarge it",
    errno.EROFS: "why the claim of spec.output is read-only",
    errno.EACCES: "can be written by user and group 1000",
    errno.EPERM: "can be written by user and group 1000",
}


@pytest.mark.parametrize(("number", "hint"), LASTING.items(), ids=[errno.errorcode[number] for number in LASTING])
def test_what_does_not_pass_by_itself_is_told_at_once_with_the_way_out(place: VolumePlace, number: int, hint: str) -> None:
    unwilling = Patience(10.0, sleep=lambda seconds: pytest.fail("it was waited for"))
    with mounted(StumblingDisk(place.path, every=1, errors=[number])), pytest.raises(TrainerError) as told:
        place.within(unwilling).claim()
    assert told.value.cause == Cause.OUTPUT_FAILED
    assert hint in told.value.hint
    assert os.strerror(number) in str(told.value)


def test_the_numbers_of_connections_pass_and_those_of_mistakes_do_not() -> None:
    for number in (errno.ECONNRESET, errno.EHOSTUNREACH, errno.ENFILE, errno.EKEYEXPIRED):
        assert disk_errors.may_pass(OSError(number, ""))
    for number in (errno.ENOENT, errno.ENOTDIR, errno.ENOSPC, errno.EINVAL, errno.EFBIG):
        assert not disk_errors.may_pass(OSError(number, ""))
    assert not disk_errors.may_pass(ValueError("5"))
    assert "has space and can be written" in output_failed("/output", OSError(errno.EFBIG, "")).hint


def a_checkpoint(epoch: int) -> Checkpoint:
    return Checkpoint(state=LoopState(epoch=epoch), weights=[], optimizer=[], best=[])


@pytest.fixture
def two_checkpoints(place: VolumePlace) -> VolumePlace:
    for epoch in (1, 2):
        checkpoints.save(a_checkpoint(epoch), folder=place.join("1"), keep=2)
    return place.within(ONCE)


def test_a_checkpoint_that_a_disk_has_lost_is_passed_over(two_checkpoints: VolumePlace) -> None:
    lost = next(path for path in (two_checkpoints.path / "1").iterdir() if path.name.startswith("checkpoint-00000002"))
    with mounted(StumblingDisk(lost, every=1, errors=[errno.EIO])):
        found = checkpoints.newest(two_checkpoints, before=1)
    assert found is not None
    assert Checkpoint.decode(*found).state.epoch == 1


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.EACCES], ids=errno.errorcode.get)
def test_an_output_that_is_away_is_none_without_checkpoints(two_checkpoints: VolumePlace, number: int) -> None:
    disk = StumblingDisk(two_checkpoints.path, every=10_000, errors=[number])
    disk.on_call = lambda call: disk.go_away(60) if call == 5 else None  # after the folders have been listed
    with mounted(disk), pytest.raises(TrainerError) as away:
        checkpoints.newest(two_checkpoints, before=1)
    assert away.value.cause == Cause.OUTPUT_FAILED


def with_leftovers(folder: Path) -> Alone:
    """An output on which attempts have crashed in every way."""
    run = folder / "run"
    (run / "model").mkdir(parents=True)
    for name in (".model.1.new", ".model.2.new.old"):
        (run / name).mkdir()
        (run / name / "half").touch()
    (run / ".result.json.1.new").touch()
    (run / "result.json").touch()
    return alone(folder, attempt=3)


def test_what_crashed_attempts_have_left_is_taken_away_by_the_next(tmp_path: Path) -> None:
    rank = with_leftovers(tmp_path)
    fence.claim(rank.paths)
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["model", "result.json"]


def test_a_model_that_lost_its_name_in_a_crash_gets_it_back(tmp_path: Path) -> None:
    rank = with_leftovers(tmp_path)
    (tmp_path / "run" / "model").rmdir()
    fence.claim(rank.paths)
    assert rank.paths.run.join("model").names() == ["half"]
    assert rank.paths.run.names() == ["model", "result.json"]


def test_an_older_attempt_takes_nothing_of_a_newer_one_away(tmp_path: Path) -> None:
    rank = with_leftovers(tmp_path)
    fence.claim(alone(tmp_path, attempt=4).paths)
    (tmp_path / "run" / ".model.4.new").mkdir()
    with pytest.raises(TrainerError, match="attempt 4"):
        fence.claim(rank.paths)
    assert ".model.4.new" in rank.paths.run.names()


def test_two_attempts_never_write_to_the_same_temporary_file(place: VolumePlace, monkeypatch: pytest.MonkeyPatch) -> None:
    temporaries: list[str] = []
    really_replace = Path.replace

    def replace(self: Path, target: Path) -> Path:
        temporaries.append(self.name)
        return really_replace(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    for attempt in ("7", "8"):
        VolumePlace(place.path, "pvc://models", label=attempt).join("metrics.jsonl").write(b"")
    assert temporaries == [".metrics.jsonl.7.new", ".metrics.jsonl.8.new"]


SAVES = {
    "EIO, as TensorFlow says it": (tf.errors.UnknownError(None, None, "Input/output error"), True),
    "a server that is away": (tf.errors.UnavailableError(None, None, "Connection timed out"), True),
    "ESTALE": (OSError(errno.ESTALE, "Stale file handle"), True),
    "a full disk": (tf.errors.ResourceExhaustedError(None, None, "No space left on device"), False),
    "one that may not be written": (tf.errors.PermissionDeniedError(None, None, "Permission denied"), False),
}


@pytest.mark.parametrize(("problem", "passes"), SAVES.values(), ids=SAVES)
def test_a_model_is_saved_again_when_its_volume_stumbles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, problem: Exception, passes: bool
) -> None:
    saved: list[str] = []
    failing = [problem]

    def save(module: object, folder: str, **_: object) -> None:
        if failing:
            raise failing.pop()
        saved.append(folder)

    monkeypatch.setattr(tf.saved_model, "save", save)
    monkeypatch.setattr(tf, "function", lambda **_: lambda function: function)
    if passes:
        save_model(None, split=easy_samples(8), folder=tmp_path, patience=TRIES)
        assert saved == [str(tmp_path)]
    else:
        with pytest.raises(TrainerError, match=r"No space left on device|Permission denied") as told:
            save_model(None, split=easy_samples(8), folder=tmp_path, patience=TRIES)
        assert (told.value.cause, saved) == (Cause.OUTPUT_FAILED, [])
