"""First manifests, from what lies in folders as people have them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainingrun.api import TrainingRun
from trainingrun.api.mistakes import mistakes
from trainingrun.views.beginning import Beginning, Seen, UnknownDataError, begin, name_of


def begun(*files: str, lines: Any = None, arrays: Any = None) -> Beginning:
    seen = Seen(files, lines=lines or {}, arrays=arrays or {})
    return begin(seen, name="pets", claim="datasets", path="pets", output="models")


FOUND: dict[str, tuple[Beginning, dict[str, Any], str]] = {
    "folders of pictures": (
        begun("cat/1.JPG", "cat/2.png", "dog/old/1.jpg", "README.md"),
        {"format": "ImageFolder", "image": {"height": 96, "width": 96}},
        "CNN",
    ),
    "parts with folders of pictures": (
        begun("train/cat/1.jpg", "train/dog/1.jpg", "val/cat/2.jpg", "val/dog/2.jpg"),
        {
            "format": "ImageFolder",
            "imageFolder": {"folder": "train", "validationFolder": "val"},
            "image": {"height": 96, "width": 96},
        },
        "CNN",
    ),
    "MNIST as it is distributed": (
        begun(
            "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz", "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"
        ),
        {"format": "IDX", "idx": {"images": "train-images-idx3-ubyte.gz", "labels": "train-labels-idx1-ubyte.gz"}},
        "CNN",
    ),
    "arrays of Keras": (
        begun(
            "cifar10.npz",
            arrays={
                "cifar10.npz": {"x_test": (9, 32, 32, 3), "y_test": (9, 1), "y_train": (50, 1), "x_train": (50, 32, 32, 3)}
            },
        ),
        {"format": "NPZ", "npz": {"file": "cifar10.npz", "images": "x_train", "labels": "y_train"}},
        "CNN",
    ),
    "vectors": (
        begun("a.npz", arrays={"a.npz": {"features": (7, 4), "labels": (7,)}}),
        {"format": "NPZ", "npz": {"file": "a.npz", "images": "features", "labels": "labels"}},
        "MLP",
    ),
    "a table with a header": (
        begun("train.csv", "test.csv", lines={"train.csv": ["label,p0,p1", "3,0,0"], "test.csv": ["p0,p1", "0,0"]}),
        {"format": "CSV", "csv": {"files": "train.csv", "labelColumn": "label"}},
        "MLP",
    ),
    "a table without one": (
        begun("iris.data", lines={"iris.data": ["5.1,3.5,Iris-setosa", "4.9,3.0,Iris-setosa"]}),
        {"format": "CSV", "csv": {"files": "iris.data", "labelColumn": "c2", "header": False}},
        "MLP",
    ),
    "semicolons and words": (
        begun("wine.csv", lines={"wine.csv": ['"acid";"kind";"quality"', "7.4;red;5"]}),
        {
            "format": "CSV",
            "csv": {"files": "wine.csv", "labelColumn": "quality", "delimiter": ";", "categoricalColumns": ["kind"]},
        },
        "MLP",
    ),
    "records": (
        begun("tf_flowers-train.tfrecord-00000-of-00002", "tf_flowers-train.tfrecord-00001-of-00002", "features.json"),
        {
            "format": "TFRecord",
            "tfRecord": {"files": "tf_flowers-train.tfrecord-*-of-00002"},
            "image": {"height": 96, "width": 96},
        },
        "CNN",
    ),
}


@pytest.mark.parametrize("kind", FOUND)
def test_what_lies_there_is_what_is_written(kind: str) -> None:
    made, data, network = FOUND[kind]
    spec = made.manifest["spec"]
    assert {name: value for name, value in spec["data"].items() if name not in ("source", "testFraction")} == data
    assert spec["model"] == {"builtin": {"type": network}}
    assert spec["data"]["source"] == {"persistentVolumeClaim": {"claimName": "datasets", "path": "pets"}}
    assert list(mistakes(TrainingRun.parse(made.manifest).spec)) == []


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        (["1.jpg", "2.jpg"], r"The 2 pictures lie side by side: put them into a folder for each class"),
        (["cat/1.jpg"], r"There are pictures of cat only: two classes are the least"),
        (["a.tiff", "b.tiff", "c.txt"], r"There is no data of a kind that is read, but 2 \.tiff, 1 \.txt"),
        ([], r"There is no data of a kind that is read, but nothing"),
    ],
)
def test_what_cannot_be_read_is_said_with_the_way_out(files: list[str], sentence: str) -> None:
    with pytest.raises(UnknownDataError, match=sentence):
        begun(*files)


def test_what_names_do_not_tell_is_a_note() -> None:
    assert begun("cat/1.jpg", "dog/1.jpg", "3.jpg").notes == (
        "2 classes: cat, dog.",
        "Pictures become 96 x 96: change spec.data.image.",
        "Pictures beside the class folders are left out: 1.",
    )
    assert "name the arrays in spec.data.npz.images" in begun("a.npz", arrays={"a.npz": {"z": (3,)}}).notes[0]
    assert "There is no IDX file with labels" in begun("train-images-idx3-ubyte").notes[0]


@given(st.text(max_size=80))
def test_any_folder_gives_a_name_that_kubernetes_takes(text: str) -> None:
    name = name_of(text)
    assert 1 <= len(name) <= 40
    assert name.replace("-", "").isalnum()
    assert name == name.lower()
    assert not name.startswith("-")
    assert not name.endswith("-")
