"""In which type of numbers layers compute."""

from collections.abc import Iterator
from contextlib import contextmanager

import tf_keras


@contextmanager
def float_policy() -> Iterator[None]:
    """Layers that are made while this is open, tfmot's own ones among them, compute in float32, whatever the others do."""
    before = tf_keras.mixed_precision.global_policy()
    tf_keras.mixed_precision.set_global_policy("float32")
    try:
        yield
    finally:
        tf_keras.mixed_precision.set_global_policy(before)
