"""Data sets in the form in which they are published, small and generated: what docs/how-to/data.md says reads them."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import yaml

from tests.unit.trainer.public_tables import WRITERS
from tests.unit.trainer.stages_alone import alone
from tests.unit.trainer.starting import result_of
from tests.unit.trainer.test_formats import decoded, opened
from tests.unit.trainer.test_published_folders import imagenette, pets
from tests.unit.trainer.writing import CLAIM, jpeg, png, write_tf_record
from trainingrun_trainer import pipeline
from trainingrun_trainer.data.dataset import Dataset

GUIDE = Path(__file__).parent.parent.parent.parent / "docs" / "how-to" / "data.md"


def noise(count: int, *shape: int, high: int = 256) -> Any:
    """Samples of bytes, from nothing to nearly white."""
    return np.random.default_rng(1).integers(0, high, (count, *shape)).astype(np.uint8)


def keras_mnist(folder: Path) -> None:
    """Four arrays, bytes."""
    train = {"x_train": noise(20, 28, 28), "y_train": (np.arange(20) % 10).astype(np.uint8)}
    np.savez(folder / "mnist.npz", **train, x_test=noise(10, 28, 28), y_test=np.arange(10, dtype=np.uint8))


def keras_cifar10(folder: Path) -> None:
    """Labels in a column, as `keras.datasets.cifar10.load_data` gives them."""
    labels = (np.arange(20) % 10).astype(np.uint8)[:, np.newaxis]
    np.savez(folder / "cifar10.npz", x_train=noise(20, 32, 32, 3), y_train=labels)


def medmnist(folder: Path) -> None:
    """Nine tissues; labels in a column of bytes, compressed."""
    labels = (np.arange(27) % 9).astype(np.uint8)[:, np.newaxis]
    np.savez_compressed(folder / "pathmnist.npz", train_images=noise(27, 28, 28, 3), train_labels=labels)


def emnist_letters(folder: Path) -> None:
    """IDX, labels from 1 to 26."""
    for kind, array in (("images-idx3", noise(52, 28, 28)), ("labels-idx1", (np.arange(52) % 26 + 1).astype(np.uint8))):
        header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
        (folder / f"emnist-letters-train-{kind}-ubyte.gz").write_bytes(gzip.compress(header + array.tobytes()))


def sklearn_digits(folder: Path) -> None:
    """Floats from 0 to 16."""
    np.savez(folder / "digits.npz", x=noise(20, 8, 8, high=17).astype(np.float64), y=np.arange(20) % 10)


def faces(folder: Path) -> None:
    """Floats from 0 to 255, and names."""
    names = np.array(["Tony Blair", "Ariel Sharon", "Colin Powell"])
    np.savez(folder / "lfw.npz", images=noise(12, 25, 19, 3).astype(np.float64), names=names[np.arange(12) % 3])


def stl10(folder: Path) -> None:
    """Channels first, labels from 1 to 10."""
    np.savez(folder / "stl10.npz", x=noise(20, 3, 96, 96), y=(np.arange(20) % 10 + 1).astype(np.uint8))


def signs(folder: Path) -> None:
    """One-hot rows of floats."""
    np.savez(folder / "signs.npz", X=noise(12, 64, 64, 1) / np.float32(255), Y=np.eye(4)[np.arange(12) % 4])


def tfds_flowers(folder: Path) -> None:
    """Two files of JPEG images, with numbers and the names of files."""
    pictures = [noise(10, 24 + size, 32, 3)[size] for size in range(10)]
    records = [
        {"image": jpeg(picture), "image/filename": f"{place}.jpg".encode(), "label": place % 5}
        for place, picture in enumerate(pictures)
    ]
    for part in (0, 1):
        write_tf_record(folder / f"tf_flowers-train.tfrecord-{part:05}-of-00002", records[part::2])


def x_rays(folder: Path) -> None:
    """Patients who are ill or well, with several grey pictures each."""
    for patient in range(6):
        place = folder / ("ill" if patient % 2 else "well") / f"patient-{patient}"
        place.mkdir(parents=True)
        for number in range(2):
            (place / f"{number}.png").write_bytes(png(noise(1, 70, 66, 1)[0]))


class Expected(NamedTuple):
    """What comes of a set."""

    write: Callable[[Path], None]
    shape: tuple[int, ...]
    scale: float | None
    classes: int
    names: tuple[str, ...] = ()
    samples: int | None = None


def table(name: str, samples: int, features: int, *, classes: int, names: tuple[str, ...]) -> Expected:
    """What comes of a public table."""
    return Expected(WRITERS[name], (features,), None, classes, names, samples)


LETTERS = tuple(str(number) for number in range(1, 27))
PUBLISHED = {
    "MNIST of Keras": Expected(keras_mnist, (28, 28, 1), 1 / 255, 10),
    "CIFAR-10 of Keras, saved with `numpy.savez`": Expected(keras_cifar10, (32, 32, 3), 1 / 255, 10),
    "MedMNIST, for example PathMNIST": Expected(medmnist, (28, 28, 3), 1 / 255, 9),
    "digits of scikit-learn": Expected(sklearn_digits, (8, 8, 1), 1 / 16, 10),
    "faces (LFW) of scikit-learn": Expected(faces, (25, 19, 3), 1 / 255, 3, ("Ariel Sharon", "Colin Powell", "Tony Blair")),
    "STL-10 as PyTorch has it": Expected(stl10, (96, 96, 3), 1 / 255, 10, LETTERS[:10]),
    "signs": Expected(signs, (64, 64, 1), 1.0, 4),
    "EMNIST letters": Expected(emnist_letters, (28, 28, 1), 1 / 255, 26, LETTERS),
    "Imagenette": Expected(imagenette, (160, 160, 3), None, 2, ("n01440764", "n02102040")),
    "Oxford-IIIT Pet": Expected(pets, (160, 160, 3), None, 2, ("Abyssinian", "great_pyrenees")),
    "X-rays, `ill/patient-7/1.png`": Expected(x_rays, (64, 64, 1), None, 2, ("ill", "well")),
    "flowers of TensorFlow Datasets": Expected(tfds_flowers, (96, 96, 3), None, 5),
    "UCI wine, `wine.data`": table("wine.data", 178, 13, classes=3, names=("1", "2", "3")),
    "UCI iris, `iris.data`": table("iris.data", 150, 4, classes=3, names=("Iris-setosa", "Iris-versicolor", "Iris-virginica")),
    "UCI adult, `adult.data`": table("adult.data", 200, 24, classes=2, names=("<=50K", ">50K")),
    "UCI wine quality, `winequality-red.csv`": table(
        "winequality-red.csv", 120, 11, classes=6, names=("3", "4", "5", "6", "7", "8")
    ),
    "Kaggle `digit-recognizer`, `train.csv`": table("digit-recognizer", 60, 784, classes=10, names=()),
}


def documented() -> dict[str, Any]:
    """The table of the guide: what to write for each set."""
    rows = [line.strip("|").split("|") for line in GUIDE.read_text().splitlines() if line.startswith("|")]
    return {row[0].strip(): yaml.safe_load(row[-1].strip(" `")) for row in rows if row[-1].strip().startswith("`{format:")}


def test_the_guide_has_all_of_them() -> None:
    assert list(documented()) == list(PUBLISHED)


@pytest.mark.parametrize("name", [name for name, expected in PUBLISHED.items() if expected.samples is None])
def test_what_the_guide_says_reads_the_set(tmp_path: Path, name: str) -> None:
    expected = PUBLISHED[name]
    expected.write(tmp_path)
    data = opened(tmp_path, **documented()[name])
    assert (data.shape, data.classes, data.class_names) == (expected.shape, expected.classes, expected.names)
    assert sorted(set(data.labels.tolist())) == list(range(expected.classes))
    if isinstance(data, Dataset):
        assert data.scale == expected.scale
    assert 0.9 < decoded(data).max() * (expected.scale or 1 / 255) <= 1


@pytest.mark.parametrize("name", PUBLISHED)
def test_what_the_guide_says_trains_on_the_set(tmp_path: Path, name: str) -> None:
    expected, data = PUBLISHED[name], documented()[name]
    (tmp_path / "data").mkdir()
    expected.write(tmp_path / "data")
    held_out = {} if "validationFolder" in str(data) else {"validationFraction": "0.4"}
    if data["format"] == "CSV":
        data = {**data, "normalization": "Standardize"}  # as the operator writes it
    rank = alone(
        tmp_path / "output",
        environment={"TRAININGRUN_DATA_MOUNT": str(tmp_path / "data")},
        data={"source": CLAIM, **data, **held_out},
        model={"builtin": {"type": "MLP"}, "parameters": [{"name": "hiddenUnits", "value": "4"}]},
        training={"epochs": 1, "batchSize": 16},
    )
    pipeline.run(rank.context)
    result = result_of(tmp_path)["data"]
    assert (result["classes"], tuple(result["classNames"])) == (expected.classes, expected.names)
    if expected.samples is not None:
        assert sum(result["samples"].values()) == expected.samples
        assert (len(result["features"]),) == expected.shape
