"""What is in a `tf.train.Example`: one sample and its label."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainingrun_trainer.data.arrays import require_exact
from trainingrun_trainer.data.parsing import parsing
from trainingrun_trainer.errors import bad_data

Example = Any

_LISTED = 10
_LARGEST = 2**63
_IMAGES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"RIFF")
"""How files of images begin: PNG, JPEG, GIF, BMP, WebP."""


class Keys(NamedTuple):
    """Names of features."""

    inputs: str
    label: str
    group: str | None = None
    """Which samples belong together."""


class Kind(NamedTuple):
    """What labels are: all of a data set are of one kind."""

    what: str
    columns: int = 0
    """Of one-hot lists."""

    def __str__(self) -> str:
        return f"{self.what} of {self.columns}" if self.columns else self.what


INTEGERS, NAMES = Kind("integers"), Kind("names")


class Label(NamedTuple):
    """The number of a class, or its name."""

    kind: Kind
    value: int | str


def parse(content: bytes, *, name: str) -> Example:
    """A record's example; `name` says which record it is. Raises TrainerError (bad data)."""
    with parsing(name, what="tf.train.Example", way_out="Write the records with tf.train.Example."):
        return tf.train.Example.FromString(content)


def label_of(example: Example, keys: Keys, *, name: str) -> Label:
    """The label: a whole number, the name of a class, or a list of zeros with a 1 at the class's place (one-hot).

    Raises TrainerError (bad data).
    """
    kind, values = _feature(example, keys.label, field="labelKey", name=name)
    if kind == "bytes_list" and len(values) == 1 and values[0].strip():
        return Label(NAMES, values[0].decode(errors="backslashreplace"))
    if (
        kind in ("int64_list", "float_list")
        and len(values) == 1
        and float(values[0]).is_integer()
        and abs(values[0]) < _LARGEST
    ):
        return Label(INTEGERS, int(values[0]))
    if kind in ("int64_list", "float_list") and len(values) > 1 and sorted(values) == [0] * (len(values) - 1) + [1]:
        return Label(Kind("one-hot lists", len(values)), list(values).index(1))
    shown = f", {values[0]}" if len(values) == 1 and kind != "bytes_list" else ""
    raise bad_data(
        f"{name}: the feature {keys.label} (spec.data.tfRecord.labelKey) is {_in_words(kind, values)}{shown}; expected one "
        "integer, one string that names the class, or zeros with a single 1."
    )


def group_of(example: Example, key: str, *, name: str) -> str:
    """The name of the sample's group; an integer is its own name. Raises TrainerError (bad data)."""
    kind, values = _feature(example, key, field="groupKey", name=name)
    if len(values) == 1 and kind == "bytes_list" and values[0].strip():
        return str(values[0].decode(errors="backslashreplace"))
    if len(values) == 1 and kind == "int64_list":
        return str(values[0])
    shown = " that is empty" if len(values) == 1 and kind == "bytes_list" else ""
    raise bad_data(
        f"{name}: the feature {key} (spec.data.tfRecord.groupKey) is {_in_words(kind, values)}{shown}; expected one string or "
        "one integer. Give samples that belong to nobody a group each."
    )


def image_of(example: Example, keys: Keys, *, name: str) -> bytes | None:
    """The encoded image, or None when the sample is a list of numbers. Raises TrainerError (bad data)."""
    kind, values = _feature(example, keys.inputs, field="inputKey", name=name)
    if len(values) == 0 or (kind == "bytes_list" and len(values) != 1):
        raise bad_data(
            f"{name}: the feature {keys.inputs} (spec.data.tfRecord.inputKey) is {_in_words(kind, values)}; expected one "
            "encoded image, or a list of numbers."
        )
    if kind != "bytes_list":
        return None
    return bytes(values[0])


def require_images(first: Sequence[tuple[str, bytes]], keys: Keys) -> None:
    """Raises TrainerError (bad data) when none of the first samples, which come with their names, begins as an image file does.

    One that does not is damaged; all that do not are something else.
    """
    if any(image.startswith(_IMAGES) for _, image in first):
        return
    name, image = first[0]
    raise bad_data(
        f"{name}: the feature {keys.inputs} (spec.data.tfRecord.inputKey) is no image file such as PNG or JPEG: it has "
        f"{len(image)} bytes and begins with {image[:4].hex() or 'nothing'}. If they are pixels as they are, for "
        "tf.io.decode_raw: store tf.io.encode_png(pixels), or a list of numbers."
    )


def required_image(example: Example, keys: Keys, *, name: str) -> bytes:
    """The encoded image. Raises TrainerError (bad data), also when the sample is a list of numbers."""
    image = image_of(example, keys, name=name)
    if image is None:
        raise bad_data(f"{name}: the feature {keys.inputs} is a list of numbers; expected an image, as in the first record.")
    return image


def vector_of(example: Example, keys: Keys, *, name: str) -> NDArray[np.float32]:
    """The list of numbers. Raises TrainerError (bad data)."""
    kind, values = _feature(example, keys.inputs, field="inputKey", name=name)
    if kind == "bytes_list":
        raise bad_data(f"{name}: the feature {keys.inputs} is an image; expected a list of numbers, as in the first record.")
    stored = np.array(values, dtype=np.float32)
    if kind == "int64_list":
        require_exact(stored[np.newaxis], name=lambda _: name, written=np.array([values], dtype=np.int64))
    return stored


def _feature(example: Example, key: str, *, field: str, name: str) -> tuple[str, Any]:
    """Kind and values of a feature."""
    features = example.features.feature
    if key not in features:
        there = sorted(features)
        more = f" and {len(there) - _LISTED} more" if len(there) > _LISTED else ""
        raise bad_data(
            f"{name} has no feature {key} (spec.data.tfRecord.{field}); it has {', '.join(there[:_LISTED]) or 'none'}{more}."
        )
    kind = features[key].WhichOneof("kind")
    return str(kind), getattr(features[key], kind).value if kind else ()


def _in_words(kind: str, values: Any) -> str:
    words = {"int64_list": "integers", "float_list": "decimal numbers", "bytes_list": "strings"}
    return f"a list of {len(values)} {words[kind]}" if kind in words else "empty"
