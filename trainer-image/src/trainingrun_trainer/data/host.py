"""The host's memory, where samples lie until steps take them: it is what `data/memory.py` counts.

A GPU has memory of its own, often less than its host. TensorFlow would put a constant there, and would take rows of what lies
on the host by copying all of it there first.
"""

from typing import Any

import tensorflow as tf

Tensor = Any

HOST = "CPU:0"


def on_host(values: Any) -> Tensor:
    """The values as a tensor in the host's memory."""
    with tf.device(HOST):
        return tf.constant(values)


def rows_of(values: Tensor, rows: Any) -> Tensor:
    """Some rows of a tensor on the host, on the host as well."""
    with tf.device(HOST):
        return tf.gather(values, rows)


def is_apart() -> bool:
    """Whether steps are taken by a device with memory of its own."""
    return len(tf.config.list_logical_devices("GPU")) > 0
