"""What is in a `tf.train.Example`: one sample and its label."""

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from trainingrun_trainer.errors import bad_data

Label = int | str
Example = Any

_LISTED = 10


class Keys(NamedTuple):
    """Names of the two features."""

    inputs: str
    label: str


def parse(content: bytes, *, name: str) -> Example:
    """A record's example; `name` says which record it is. Raises TrainerError (bad data)."""
    try:
        return tf.train.Example.FromString(content)
    except DecodeError as other:
        raise bad_data(f"{name} is no tf.train.Example: write the records with tf.train.Example.") from other


def label_of(example: Example, keys: Keys, *, name: str) -> Label:
    """The label: a number, or the name of a class. Raises TrainerError (bad data)."""
    kind, values = _feature(example, keys.label, field="labelKey", name=name)
    if kind not in ("int64_list", "bytes_list") or len(values) != 1:
        raise bad_data(
            f"{name}: the feature {keys.label} (spec.data.tfRecord.labelKey) is {_in_words(kind, values)}; expected one "
            "integer, or one string that names the class."
        )
    return int(values[0]) if kind == "int64_list" else values[0].decode(errors="replace")


def image_of(example: Example, keys: Keys, *, name: str) -> bytes | None:
    """The encoded image, or None when the sample is a list of numbers. Raises TrainerError (bad data)."""
    kind, values = _feature(example, keys.inputs, field="inputKey", name=name)
    if len(values) == 0 or (kind == "bytes_list" and len(values) != 1):
        raise bad_data(
            f"{name}: the feature {keys.inputs} (spec.data.tfRecord.inputKey) is {_in_words(kind, values)}; expected one "
            "encoded image, or a list of numbers."
        )
    return bytes(values[0]) if kind == "bytes_list" else None


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
    return np.array(values, dtype=np.float32)


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
