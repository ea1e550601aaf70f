"""Small data sets in every format, written with TensorFlow's own operations."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainingrun_trainer.data import idx

DIGITS = Path(__file__).parent.parent.parent.parent / "examples" / "data" / "mnist-10k"
CLAIM = {"persistentVolumeClaim": {"claimName": "datasets"}}

Pixels = NDArray[np.uint8]
Labels = NDArray[np.int64]


def digits(count: int, *, channels: int = 1) -> tuple[Pixels, Labels]:
    """The first real digits, [count, 28, 28, channels], and their labels."""
    images = idx.read((DIGITS / "t10k-images-idx3-ubyte.gz").read_bytes(), name="images")[:count]
    labels = idx.read((DIGITS / "t10k-labels-idx1-ubyte.gz").read_bytes(), name="labels")[:count]
    return np.repeat(images[..., np.newaxis], channels, axis=3).astype(np.uint8), labels.astype(np.int64)


def png(image: Pixels) -> bytes:
    """One image as PNG, which loses nothing."""
    encoded: bytes = tf.io.encode_png(image).numpy()
    return encoded


def jpeg(image: Pixels) -> bytes:
    """One image as JPEG, almost as it was."""
    encoded: bytes = tf.io.encode_jpeg(image, quality=100).numpy()
    return encoded


def write_image_folder(folder: Path, images: Pixels, labels: Labels, *, names: Sequence[str] = "0123456789") -> None:
    """One PNG file per image in folders named after the classes; file names rise with the position."""
    for position, (image, label) in enumerate(zip(images, labels, strict=True)):
        path = folder / names[label] / f"{position:05}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(image))


def feature(value: Any) -> Any:
    """A feature of the kind that its values have."""
    values = value if isinstance(value, list) else [value]
    if isinstance(values[0], bytes):
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))
    if isinstance(values[0], float):
        return tf.train.Feature(float_list=tf.train.FloatList(value=values))
    return tf.train.Feature(int64_list=tf.train.Int64List(value=values))


def write_tf_record(path: Path, records: Sequence[dict[str, Any]]) -> None:
    """A file of tf.train.Example with these features."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in records:
            features = {key: feature(value) for key, value in record.items()}
            writer.write(tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())


def image_records(images: Pixels, labels: Labels) -> list[dict[str, Any]]:
    """Records in the usual layout of encoded images."""
    return [{"image/encoded": png(image), "image/class/label": int(label)} for image, label in zip(images, labels, strict=True)]


def write_csv(path: Path, features: NDArray[Any], labels: Sequence[object]) -> None:
    """A table whose last column is the label."""
    header = [f"f{column}" for column in range(features.shape[1])]
    rows = [[*map(str, row), str(label)] for row, label in zip(features, labels, strict=True)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(",".join(row) + "\n" for row in [[*header, "label"], *rows]))
