"""Reading, checking, splitting and sharing samples."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from tests.unit.trainer.stages_alone import alone
from trainingrun.api import IDXFiles, NPZArrays
from trainingrun_trainer.data import idx, npz
from trainingrun_trainer.data.dataset import dataset
from trainingrun_trainer.data.files import list_folder, matching_files
from trainingrun_trainer.data.shard import epoch_order, shard
from trainingrun_trainer.data.source import open_data
from trainingrun_trainer.errors import TrainerError
from trainingrun_trainer.storage import Folder, local_folder


def write_idx(path: Path, array: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]", *, compress: bool = True) -> None:
    header = struct.pack(">HBB", 0, 8, array.ndim) + b"".join(struct.pack(">I", size) for size in array.shape)
    content = header + array.tobytes()
    path.write_bytes(gzip.compress(content) if compress else content)


def some_images(count: int = 20) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    return np.random.default_rng(0).integers(0, 255, (count, 5, 4)).astype(np.uint8)


def some_labels(count: int = 20) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    return (np.arange(count) % 3).astype(np.uint8)


@pytest.mark.parametrize("compress", [True, False])
def test_idx_is_read_as_it_was_written(tmp_path: Path, compress: bool) -> None:
    write_idx(tmp_path / "i", some_images(), compress=compress)
    write_idx(tmp_path / "l", some_labels(), compress=compress)
    read = idx.load(local_folder(tmp_path), IDXFiles(images="i", labels="l"))
    assert (read.inputs[..., 0] == some_images()).all()
    assert (read.labels == some_labels()).all()
    assert (read.classes, read.shape) == (3, (5, 4, 1))


def test_npz_is_read_by_the_names_of_its_arrays(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", a=some_images(), b=some_labels().astype(np.int64))
    assert len(npz.load(local_folder(tmp_path), NPZArrays(file="d.npz", images="a", labels="b"))) == 20


def test_the_digits_in_the_image_are_ten_thousand(tmp_path: Path, builtin_data: Path) -> None:
    read = open_data(alone(tmp_path, environment={"TRAININGRUN_BUILTIN_DATA": str(builtin_data)}).context)
    assert (len(read), read.shape, read.classes) == (10_000, (28, 28, 1), 10)


def corrupt(tmp_path: Path, content: bytes) -> Path:
    write_idx(tmp_path / "l", some_labels())
    (tmp_path / "i").write_bytes(content)
    return tmp_path


def test_wrong_data_is_explained_in_a_sentence(tmp_path: Path) -> None:
    whole = gzip.compress(struct.pack(">HBBIII", 0, 8, 3, 20, 5, 4) + some_images().tobytes())
    cases = {
        whole[:-30]: "i is no readable gzip file: Compressed file ended before",
        b"PK\x03\x04 something else": "i is no IDX file: it begins with 504b0304",
        struct.pack(">HBBIII", 0, 8, 3, 20, 5, 4) + b"short": "i is damaged: its header promises 3 dimensions [20, 5, 4]",
        b"": "i is no IDX file: it begins with nothing",
    }
    for content, words in cases.items():
        with pytest.raises(TrainerError) as problem:
            idx.load(local_folder(corrupt(tmp_path, content)), IDXFiles(images="i", labels="l"))
        assert words in str(problem.value)
        assert problem.value.exit_code == 65


def test_a_missing_file_is_named_with_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "other.gz").touch()
    with pytest.raises(TrainerError, match=r"There is no file i \(spec.data.idx.images\).*holds other.gz"):
        idx.load(local_folder(tmp_path), IDXFiles(images="i", labels="l"))


def test_a_missing_array_is_named_with_those_that_are_there(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", x=some_images(), y=some_labels())
    with pytest.raises(TrainerError, match=r"no array 'a'.*it has x, y"):
        npz.load(local_folder(tmp_path), NPZArrays(file="d.npz", images="a", labels="y"))


def test_pickled_objects_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", x=np.array([{"a": 1}]), y=some_labels())
    with pytest.raises(TrainerError, match=r"x in d\.npz is no readable array of NumPy: Object arrays cannot"):
        npz.load(local_folder(tmp_path), NPZArrays(file="d.npz", images="x", labels="y"))


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([0, 1, 2, 7], "label 7 of sample 3 is out of range, or classes are missing: no sample is labelled 3"),
        ([0, 0, 0, 0], "at least two classes"),
        ([0.5, 1, 0, 1], "the label 0.5 of sample 0 is no integer"),
        ([0, 1], "there are 4 samples but 2 labels"),
    ],
)
def test_labels_out_of_range_are_named_with_their_position(labels: list[float], words: str) -> None:
    with pytest.raises(TrainerError) as problem:
        dataset(some_images(4), np.array(labels), where="here")
    assert words in str(problem.value)


def test_a_value_that_is_no_number_is_named_with_its_place() -> None:
    vectors = np.ones((4, 3))
    vectors[2, 1] = np.nan
    with pytest.raises(TrainerError, match="here: sample 2 has the value nan at place 1; expected finite numbers"):
        dataset(vectors, np.arange(4), where="here")


class Store:
    """An object store with an empty object in the place of a folder."""

    def ls(self, path: str, *, detail: bool) -> list[dict[str, str]]:
        return [{"name": f"{path}/", "type": "directory"}, {"name": f"{path}/cat/", "type": "directory"}]


def test_a_folder_is_not_within_itself() -> None:
    assert list_folder(Folder(Store(), "bucket/pets")) == [("cat", True)]
    assert list_folder(Folder(Store(), "bucket"), "pets") == [("cat", True)]


def test_a_web_server_is_not_asked_which_files_it_has() -> None:
    server = Folder(None, "https://data.example/digits")
    assert matching_files(server, "a.csv", field="spec.data.csv.files") == ["a.csv"]
    with pytest.raises(TrainerError, match=r"spec.data.csv.files '\*.csv' finds none: name one file without"):
        matching_files(server, "*.csv", field="spec.data.csv.files")


@pytest.mark.parametrize(("samples", "batch", "size"), [(193, 64, 3), (1, 64, 3), (192, 64, 3), (1000, 7, 4), (5, 1, 8)])
def test_every_sample_is_dealt_to_exactly_one_rank_and_all_take_as_many_steps(samples: int, batch: int, size: int) -> None:
    order = epoch_order(samples, seed=7, epoch=2)
    parts = [shard(samples, batch=batch, rank=rank, size=size, order=order) for rank in range(size)]
    dealt = np.concatenate([each.positions[each.weights > 0] for each in parts])
    assert sorted(dealt.tolist()) == list(range(samples))
    assert len({each.steps for each in parts}) == 1
    assert (sum(each.weights.sum(axis=1) for each in parts) == parts[0].total).all()
    padding = np.concatenate([each.positions[each.weights == 0] for each in parts])
    assert set(padding.tolist()) <= set(order.tolist())
    assert len(set(padding.tolist())) == min(samples, len(padding))


def test_the_order_is_another_in_every_epoch() -> None:
    assert (epoch_order(50, seed=1, epoch=0) != epoch_order(50, seed=1, epoch=1)).any()
