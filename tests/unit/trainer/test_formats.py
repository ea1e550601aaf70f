"""Every format gives the samples that were written, and says what is wrong with a file that is wrong."""

import bz2
import gzip
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.trainer.stages_alone import alone
from tests.unit.trainer.writing import (
    CLAIM,
    Labels,
    digits,
    image_records,
    jpeg,
    png,
    write_csv,
    write_image_folder,
    write_tf_record,
)
from trainingrun_trainer.data.dataset import Dataset
from trainingrun_trainer.data.encoded import Encoded
from trainingrun_trainer.data.source import load_split, open_data
from trainingrun_trainer.errors import TrainerError

IMAGES, LABELS = digits(70)
"""As many as it takes until every digit occurs."""


def opened(folder: Path, **data: Any) -> Dataset | Encoded:
    """The data of a folder, as one rank alone opens it."""
    environment = {"TRAININGRUN_DATA_MOUNT": str(folder)}
    return open_data(alone(folder, environment=environment, data={"source": CLAIM, **data}).context)


def decoded(data: Dataset | Encoded) -> np.ndarray[Any, Any]:
    """All samples, in their order."""
    if isinstance(data, Dataset):
        return data.inputs
    positions = np.arange(len(data))
    return data.decode(data.read(positions), positions=positions)


def by_class(labels: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
    """The order in which an image folder has samples."""
    return np.argsort(labels, kind="stable")


def test_an_image_folder_holds_the_images_in_the_order_of_classes_and_names(tmp_path: Path) -> None:
    write_image_folder(tmp_path, IMAGES, LABELS, names=[f"digit {number}" for number in range(10)])
    (tmp_path / "README.md").touch()
    (tmp_path / "digit 3" / ".hidden.png").touch()
    (tmp_path / "digit 3" / "notes.txt").touch()
    (tmp_path / "digit 3" / ".small").mkdir()
    (tmp_path / "digit 3" / ".small" / "a.png").touch()
    data = opened(tmp_path, format="ImageFolder")
    assert (decoded(data) == IMAGES[by_class(LABELS)]).all()
    assert (data.labels == np.sort(LABELS)).all()
    assert (data.classes, data.class_names[3], data.shape) == (10, "digit 3", (28, 28, 1))


def test_images_are_brought_to_one_size_and_to_colours(tmp_path: Path) -> None:
    write_image_folder(tmp_path, IMAGES, LABELS)
    for name, image in (("0", IMAGES[0][:20, :10]), ("1", np.repeat(IMAGES[1], 3, axis=2))):
        (tmp_path / name / "x.JPG").write_bytes(jpeg(image))
    data = opened(tmp_path, format="ImageFolder", image={"height": 14, "width": 7, "channels": 3})
    pixels = decoded(data)
    assert (pixels.shape, pixels.dtype) == ((72, 14, 7, 3), np.uint8)


def test_every_pixel_counts_in_a_smaller_image(tmp_path: Path) -> None:
    striped = np.zeros((28, 28, 1), np.uint8)
    striped[:, ::4] = 200  # one column of four, and none in the middle of four
    write_image_folder(tmp_path, np.stack([striped] * 2), np.arange(2))
    pixels = decoded(opened(tmp_path, format="ImageFolder", image={"height": 7, "width": 7, "channels": 1}))
    assert pixels.mean() == pytest.approx(50, abs=5)


def test_records_are_read_in_the_order_of_files_and_places(tmp_path: Path) -> None:
    records = image_records(IMAGES, LABELS)
    write_tf_record(tmp_path / "b" / "a-00001", records[30:])
    write_tf_record(tmp_path / "b" / "a-00000", records[:30])
    data = opened(tmp_path, format="TFRecord", tfRecord={"files": "b/a-*"})
    assert (decoded(data) == IMAGES).all()
    assert (data.labels == LABELS).all()
    assert (data.class_names, data.shape) == ((), (28, 28, 1))


def test_records_with_names_of_classes_and_vectors(tmp_path: Path) -> None:
    records = [{"x": [float(number), 0.5], "y": name.encode()} for number, name in enumerate(["dog", "cat", "dog"])]
    write_tf_record(tmp_path / "a.tfrecord", records)
    data = opened(tmp_path, format="TFRecord", tfRecord={"inputKey": "x", "labelKey": "y"})
    assert (data.class_names, data.labels.tolist()) == (("cat", "dog"), [1, 0, 1])
    assert decoded(data).tolist() == [[0, 0.5], [1, 0.5], [2, 0.5]]


def test_labels_that_count_from_one(tmp_path: Path) -> None:
    write_tf_record(tmp_path / "a.tfrecord", image_records(IMAGES, LABELS + 1))
    named, counted = opened(tmp_path, format="TFRecord"), opened(tmp_path, format="TFRecord", tfRecord={"firstLabel": 1})
    assert (named.labels == LABELS).all()
    assert (counted.labels == LABELS).all()
    assert (named.class_names, counted.class_names) == (tuple(str(number) for number in range(1, 11)), ())


def test_a_table_with_names_and_a_column_that_is_no_feature(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('\ufeffid;a;kind;b\n1;0.5;"set;osa";2\n\n2;-1e3;virginica;3\n')
    settings = {"labelColumn": "kind", "ignoredColumns": ["id"], "delimiter": ";"}
    data = opened(tmp_path, format="CSV", csv=settings)
    assert decoded(data).tolist() == [[0.5, 2], [-1000, 3]]
    assert (data.class_names, data.labels.tolist()) == (("set;osa", "virginica"), [0, 1])


def test_a_table_gives_what_idx_gives(tmp_path: Path) -> None:
    flat = IMAGES.reshape(70, -1)
    write_csv(tmp_path / "1.csv", flat[:25], LABELS[:25].tolist())
    write_csv(tmp_path / "2.csv", flat[25:], [f"{label}.0" for label in LABELS[25:]])
    data = opened(tmp_path, format="CSV")
    assert (decoded(data) == flat).all()
    assert (data.labels.tolist(), data.class_names) == (LABELS.tolist(), ())


def images_apart(folder: Path) -> None:
    write_image_folder(folder / "train", IMAGES, LABELS)
    write_image_folder(folder / "val", IMAGES[:10], LABELS[:10])


def records_apart(folder: Path) -> None:
    write_tf_record(folder / "train.tfrecord", image_records(IMAGES, LABELS))
    write_tf_record(folder / "a-val.tfrecord", image_records(IMAGES[:10], LABELS[:10]))


def tables_apart(folder: Path) -> None:
    write_csv(folder / "train.csv", IMAGES.reshape(70, -1), LABELS.tolist())
    write_csv(folder / "a-val.csv", IMAGES[:10].reshape(10, -1), LABELS[:10].tolist())


OWN: dict[str, tuple[Callable[[Path], None], dict[str, Any]]] = {
    "ImageFolder": (images_apart, {"imageFolder": {"folder": "train", "validationFolder": "val"}}),
    "TFRecord": (records_apart, {"tfRecord": {"files": "train.tfrecord", "validationFiles": "a-val.*"}}),
    "CSV": (tables_apart, {"csv": {"files": "train.csv", "validationFiles": "a-val.csv"}}),
}


@pytest.mark.parametrize("kind", OWN)
def test_validation_samples_of_their_own_come_last(tmp_path: Path, kind: str) -> None:
    write, blocks = OWN[kind]
    write(tmp_path)
    data = opened(tmp_path, format=kind, **blocks)
    assert (len(data), data.held_out) == (80, 10)
    assert sorted(data.labels[70:].tolist()) == sorted(LABELS[:10].tolist())
    expected = IMAGES[:10][by_class(LABELS[:10])] if kind == "ImageFolder" else IMAGES[:10]
    assert (decoded(data)[70:].reshape(10, -1) == expected.reshape(10, -1)).all()


def broken_images(folder: Path, content: bytes, *, name: str = "3/x.png") -> None:
    write_image_folder(folder, IMAGES, LABELS)
    (folder / name).write_bytes(content)


def test_a_class_that_is_only_validated_on_is_refused(tmp_path: Path) -> None:
    images_apart(tmp_path)
    (tmp_path / "train" / "7").rename(tmp_path / "train" / "seven")
    with pytest.raises(TrainerError, match="The validation folder val has images of 7, but train has no such class folders"):
        opened(tmp_path, format="ImageFolder", **OWN["ImageFolder"][1])


@pytest.mark.parametrize("kind", ["TFRecord", "CSV"])
def test_a_class_that_only_validation_files_have_is_refused(tmp_path: Path, kind: str) -> None:
    write_csv(tmp_path / "train.csv", IMAGES[:9].reshape(9, -1), [*range(9)])
    write_csv(tmp_path / "a-val.csv", IMAGES[:1].reshape(1, -1), [9])
    if kind == "TFRecord":
        (tmp_path / "a-val.csv").unlink()
        write_tf_record(tmp_path / "train.tfrecord", image_records(IMAGES[:9], np.arange(9)))
        write_tf_record(tmp_path / "a-val.tfrecord", image_records(IMAGES[:1], np.array([9])))
    environment = {"TRAININGRUN_DATA_MOUNT": str(tmp_path)}
    data = {"source": CLAIM, "format": kind, **OWN[kind][1]}
    with pytest.raises(TrainerError, match="1 of 10 classes have no sample for training: 9"):
        load_split(alone(tmp_path, environment=environment, data=data).context)


def idx_labels(folder: Path, labels: Labels) -> None:
    for name, array in (("i", IMAGES), ("l", labels)):
        header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
        (folder / name).write_bytes(header + array.astype(np.uint8).tobytes())


WITH_LABELS: dict[str, tuple[Callable[[Path, Labels], object], dict[str, Any]]] = {
    "IDX": (idx_labels, {"idx": {"images": "i", "labels": "l"}}),
    "NPZ": (lambda folder, labels: np.savez(folder / "mnist.npz", x_train=IMAGES, y_train=labels), {}),
    "TFRecord": (lambda folder, labels: write_tf_record(folder / "a.tfrecord", image_records(IMAGES, labels)), {}),
    "CSV": (lambda folder, labels: write_csv(folder / "a.csv", IMAGES.reshape(70, -1), labels.tolist()), {}),
}


@pytest.mark.parametrize("kind", WITH_LABELS)
def test_integers_mean_the_same_in_every_format(tmp_path: Path, kind: str) -> None:
    write, blocks = WITH_LABELS[kind]
    for labels, names in (
        (LABELS, ()),
        (LABELS + 1, tuple(map(str, range(1, 11)))),
        (LABELS * 5 + 5, [*map(str, range(5, 51, 5))]),
    ):
        write(tmp_path, labels)
        data = opened(tmp_path, format=kind, **blocks)
        assert (data.labels.tolist(), list(data.class_names)) == (LABELS.tolist(), list(names))
    write(tmp_path, LABELS * 2)
    with pytest.raises(TrainerError, match=r"no sample is labelled 1 .*spec\.data\.labelGaps"):
        opened(tmp_path, format=kind, **blocks)
    closed = opened(tmp_path, format=kind, labelGaps="Close", **blocks)
    assert (closed.labels.tolist(), closed.class_names) == (LABELS.tolist(), tuple(map(str, range(0, 20, 2))))


@pytest.mark.parametrize("number", [int, float])
def test_one_hot_lists_and_whole_numbers_are_labels_of_records(tmp_path: Path, number: type) -> None:
    hot = [{"x": [0.5, 1.0], "y": [number(place == label) for place in range(3)]} for label in (2, 0, 1)]
    whole = [{"x": [0.5, 1.0], "y": number(label)} for label in (2, 0, 1)]
    for records in (hot, whole):
        write_tf_record(tmp_path / "a.tfrecord", records)
        data = opened(tmp_path, format="TFRecord", tfRecord={"inputKey": "x", "labelKey": "y"})
        assert (data.labels.tolist(), data.class_names, data.classes) == ([2, 0, 1], (), 3)


@pytest.mark.parametrize("length", [0x8B1F, 0x8B1F + 2**16, 0x9C78])
def test_a_length_that_looks_like_a_compression_is_a_length(tmp_path: Path, length: int) -> None:
    filling = length
    for _ in range(3):  # until the lengths of the lengths are right, too
        record = {"x": [0.5, 1.0], "y": 0, "filling": bytes(filling)}
        write_tf_record(tmp_path / "a.tfrecord", [record, {"x": [0.5, 1.0], "y": 1}])
        filling += length - int.from_bytes((tmp_path / "a.tfrecord").read_bytes()[:8], "little")
    assert (tmp_path / "a.tfrecord").read_bytes()[:8] == length.to_bytes(8, "little")
    assert len(opened(tmp_path, format="TFRecord", tfRecord={"inputKey": "x", "labelKey": "y"})) == 2


def an_empty_class(folder: Path) -> None:
    write_image_folder(folder, IMAGES, LABELS)
    (folder / "ten").mkdir()


JPEG, PNG = jpeg(IMAGES[0]), png(IMAGES[0])

WRONG_IMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a truncated JPEG": (
        lambda folder: broken_images(folder, JPEG[:-40], name="3/x.jpg"),
        "3/x.jpg is damaged or truncated: jpeg",
    ),
    "a truncated PNG": (lambda folder: broken_images(folder, PNG[:-40]), "3/x.png is damaged or truncated: Invalid PNG"),
    "a text": (
        lambda folder: broken_images(folder, b"hello"),
        "3/x.png is neither PNG, JPEG, WebP, BMP nor GIF: it begins with 68656c6c",
    ),
    "an empty file": (lambda folder: broken_images(folder, b""), "3/x.png is empty"),
    "another size": (
        lambda folder: broken_images(folder, png(IMAGES[0][:20])),
        "3/x.png is 20 x 28 pixels (height x width) with 1 channel, but 0/00003.png is 28 x 28",
    ),
    "an image in colours": (
        lambda folder: broken_images(folder, png(np.repeat(IMAGES[0], 3, axis=2))),
        "with 3 channels, but 0/00003.png is 28 x 28 pixels (height x width) with 1 channel: all images must be of one "
        "size. Set spec.data.image",
    ),
    "an empty class folder": (
        an_empty_class,
        "The class folder ten in",
    ),
    "one class": (lambda folder: write_image_folder(folder, IMAGES, LABELS * 0), "at least two classes are needed"),
    "no folders": (
        lambda folder: (folder / "a.png").write_bytes(PNG),
        "holds no folders; expected one folder of images per class",
    ),
    "no such folder": (lambda folder: folder.rmdir(), "/data does not exist."),
}


@pytest.mark.parametrize(("break_it", "words"), WRONG_IMAGES.values(), ids=WRONG_IMAGES)
def test_what_is_wrong_with_images_is_said(tmp_path: Path, break_it: Callable[[Path], object], words: str) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    break_it(folder)
    with pytest.raises(TrainerError) as problem:
        decoded(opened(folder, format="ImageFolder"))
    assert words in str(problem.value)
    assert problem.value.exit_code == 65


RECORDS = image_records(IMAGES, LABELS)


def broken_records(folder: Path, change: Callable[[bytes], bytes]) -> None:
    write_tf_record(folder / "a.tfrecord", RECORDS)
    content = (folder / "a.tfrecord").read_bytes()
    (folder / "a.tfrecord").write_bytes(change(content))


def with_record(folder: Path, record: dict[str, Any], *, before: int = 70) -> None:
    write_tf_record(folder / "a.tfrecord", [*RECORDS[:before], record])


def raw_records(folder: Path) -> None:
    records = [{"image/encoded": image.tobytes(), "image/class/label": place % 2} for place, image in enumerate(IMAGES[:4])]
    write_tf_record(folder / "a.tfrecord", records)


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


WRONG_RECORDS: dict[str, tuple[Callable[[Path], object], str]] = {
    "a text": (lambda folder: broken_records(folder, lambda _: b"hello, world\n"), "a.tfrecord is no TFRecord file"),
    "a few bytes": (lambda folder: broken_records(folder, lambda _: b"hello"), "a.tfrecord is no TFRecord file"),
    "gzip": (lambda folder: broken_records(folder, gzip.compress), "compressed with gzip"),
    "ZLIB": (lambda folder: broken_records(folder, zlib.compress), "compressed with ZLIB"),
    "ZLIB, at its best": (lambda folder: broken_records(folder, lambda content: zlib.compress(content, 9)), "with ZLIB"),
    "another compression": (lambda folder: broken_records(folder, bz2.compress), "a.tfrecord is no TFRecord file"),
    "a truncated file": (lambda folder: broken_records(folder, lambda content: content[:-3]), "the file ends before"),
    "a truncated header": (
        lambda folder: broken_records(folder, lambda content: content + b"abc"),
        "the checksum of its length",
    ),
    "a flipped bit": (
        lambda folder: broken_records(folder, lambda content: flipped(content, 40)),
        "at byte 0 is damaged: its check",
    ),
    "an empty file": (lambda folder: broken_records(folder, lambda _: b""), "hold no records"),
    "no files": (lambda folder: (folder / "b.csv").touch(), "There is no file *.tfrecord (spec.data.tfRecord.files) in"),
    "no label": (
        lambda folder: with_record(folder, {"image/encoded": PNG}),
        "has no feature image/class/label (spec.data.tfRecord.labelKey); it has image/encoded",
    ),
    "no image": (
        lambda folder: with_record(folder, {"image/class/label": 1}),
        "has no feature image/encoded (spec.data.tfRecord.inputKey)",
    ),
    "a decimal label": (
        lambda folder: with_record(folder, {"image/encoded": PNG, "image/class/label": 0.5}),
        "is a list of 1 decimal numbers, 0.5; expected one integer",
    ),
    "two labels": (
        lambda folder: with_record(folder, {"image/encoded": PNG, "image/class/label": [1, 2]}),
        "is a list of 2 integers; expected one integer",
    ),
    "a label among numbers that is a name": (
        lambda folder: with_record(folder, {"image/encoded": PNG, "image/class/label": b"seven"}),
        "has the label seven, but labels before it are of another kind",
    ),
    "a label outside the classes": (
        lambda folder: with_record(folder, {"image/encoded": PNG, "image/class/label": 12}),
        "label 12 of sample 70 is out of range",
    ),
    "an empty label": (
        lambda folder: with_record(folder, {"image/encoded": PNG, "image/class/label": b""}),
        "is a list of 1 strings; expected one integer",
    ),
    "two classes at once": (
        lambda folder: with_record(folder, {"image/encoded": PNG, "image/class/label": [1, 0, 1]}),
        "is a list of 3 integers; expected one integer",
    ),
    "one-hot among numbers": (
        lambda folder: with_record(folder, {"image/encoded": PNG, "image/class/label": [0, 0, 1]}),
        "has the label 2, but labels before it are of another kind: integers (spec.data.tfRecord.labelKey)",
    ),
    "a label beyond all integers": (
        lambda folder: with_record(folder, {"image/encoded": PNG, "image/class/label": 1e30}),
        "is a list of 1 decimal numbers, 1.0000000150474662e+30; expected one integer",
    ),
    "pixels as they are": (
        raw_records,
        "is no image file such as PNG or JPEG: it has 784 bytes and begins with 00000000. If they are pixels as they are",
    ),
    "numbers among images": (
        lambda folder: with_record(folder, {"image/encoded": [1.0], "image/class/label": 1}),
        "is a list of numbers; expected an image, as in the first record",
    ),
    "a damaged image": (
        lambda folder: with_record(folder, {"image/encoded": PNG[:-30], "image/class/label": 1}),
        "is damaged or truncated: Invalid PNG",
    ),
    "one sample": (lambda folder: with_record(folder, RECORDS[3], before=0), "all samples are labelled 0"),
}


@pytest.mark.parametrize(("break_it", "words"), WRONG_RECORDS.values(), ids=WRONG_RECORDS)
def test_what_is_wrong_with_records_is_said(tmp_path: Path, break_it: Callable[[Path], object], words: str) -> None:
    break_it(tmp_path)
    with pytest.raises(TrainerError) as problem:
        decoded(opened(tmp_path, format="TFRecord"))
    assert words in str(problem.value)
    assert problem.value.exit_code == 65


@pytest.mark.parametrize(
    ("vector", "words"),
    [
        ([1.0, float("nan")], "has the value nan at place 1"),
        ([1.0], "has 1 numbers, but the first record has 2"),
        ([1, 1_700_000_001], "has the value 1700000001, which a network would see as 1700000000"),
    ],
)
def test_a_vector_that_is_wrong_is_named(tmp_path: Path, vector: list[float], words: str) -> None:
    records = [{"x": [0.0, float(label)], "y": label} for label in (0, 1)]
    write_tf_record(tmp_path / "a.tfrecord", [*records, {"x": vector, "y": 1}])
    with pytest.raises(TrainerError) as problem:
        decoded(opened(tmp_path, format="TFRecord", tfRecord={"inputKey": "x", "labelKey": "y"}))
    assert "a.tfrecord, the record at byte" in str(problem.value)
    assert words in str(problem.value)


WRONG_TABLES = {
    "no label column": ("a,b\n1,2\n", "a.csv has no column 'label' (spec.data.csv.labelColumn); its first line names a, b"),
    "nothing": ("", "its first line names none"),
    "a ragged line": ("a,label\n1,0\n1,2,1\n", "a.csv, line 3: 3 values; expected 2"),
    "a word": ("a,b,label\n1,2,0\n1,two,1\n", "a.csv, line 3, column b: 'two' is no finite number"),
    "nothing in a field": ("a,b,label\n1,2,0\n1,,1\n", "a.csv, line 3, column b: '' is no finite number"),
    "NaN": ("a,b,label\n1,2,0\nnan,2,1\n", "a.csv, line 3, column a: 'nan' is no finite number"),
    "too large": ("a,label\n1,0\n1e300,1\n", "a.csv, line 3, column a: '1e300' is no finite number"),
    "a NaN label": ("a,label\n1,0\n2,NaN\n", "a.csv, line 3: the label (column label) is NaN"),
    "no label": ("a,label\n1,0\n2,\n", "a.csv, line 3: the label (column label) is empty"),
    "names and numbers": ("a,label\n1,0\n2,cat\n", "a.csv: the label 'cat' is a name, but others are numbers, such as 0"),
    "half a class": ("a,label\n1,0\n2,0.5\n", "a.csv: the label 0.5 of sample 1 is no integer"),
    "labels only": ("label\n1\n", "there must be at least one feature"),
    "no samples": ("a,label\n", "there are no samples"),
    "one sample": ("a,label\n1,0\n", "all samples are labelled 0"),
}


@pytest.mark.parametrize(("text", "words"), WRONG_TABLES.values(), ids=WRONG_TABLES)
def test_what_is_wrong_with_a_table_is_said(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(TrainerError) as problem:
        opened(tmp_path, format="CSV")
    assert words in str(problem.value)
    assert problem.value.exit_code == 65


def test_tables_with_other_columns_are_not_mixed(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,label\n1,0\n")
    (tmp_path / "b.csv").write_text("b,label\n1,1\n")
    with pytest.raises(TrainerError, match=r"b\.csv has the columns b, label, but a\.csv has a, label"):
        opened(tmp_path, format="CSV")


def test_a_table_that_is_no_text_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"a,label\n\xff,0\n")
    with pytest.raises(TrainerError, match=r"a\.csv is no text in UTF-8"):
        opened(tmp_path, format="CSV")
