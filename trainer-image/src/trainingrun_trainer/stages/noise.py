"""The random layers of a network, such as dropout: what they draw follows from seed, rank, device of the rank and step alone.

So an attempt that goes on from a checkpoint draws what the undisturbed one would have drawn, and no two ranks drop the same.
"""

from typing import Any

import numpy as np
import tensorflow as tf

Network = Any
Tensor = Any


class Noise:
    """The random generators of a network's layers."""

    def __init__(self, network: Network, *, seed: int, rank: int) -> None:
        layers = [getattr(module, "_random_generator", None) for module in network.submodules]
        found = [getattr(layer, "_generator", None) for layer in layers]
        self._generators = [generator for generator in found if generator is not None]
        keys = np.random.default_rng((seed, rank)).integers(2**62, size=len(self._generators))
        self._keys = [int(key) for key in keys]

    def reseed(self, step: Tensor) -> None:
        """Begin the step with this number (int64, counted over all epochs); used inside a graph."""
        device = tf.cast(tf.distribute.get_replica_context().replica_id_in_sync_group, tf.int64)
        for generator, key in zip(self._generators, self._keys, strict=True):
            # The state of Philox: a counter of two words, of which a step uses up the lower one only, and the key.
            state = tf.stack([tf.constant(0, tf.int64), step, tf.constant(key, tf.int64) + device])
            tf.raw_ops.AssignVariableOp(resource=generator.state.handle, value=state)
