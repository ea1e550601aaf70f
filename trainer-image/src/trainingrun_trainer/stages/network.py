"""The network that a stage begins with."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from trainingrun.api import Precision
from trainingrun_trainer.context import Context
from trainingrun_trainer.data.feed import Feed, Split
from trainingrun_trainer.models.networks import build
from trainingrun_trainer.models.policy import float_policy
from trainingrun_trainer.storage import open_source

Network = Any


def first_network(context: Context, split: Split) -> Network:
    """The network of the configuration for samples of this split, with its first weights: see `build`."""
    return _built(context, split.training)


@contextmanager
def on_devices(context: Context, network: Network, feed: Feed) -> Iterator[Network]:
    """The network, or a twin of it where the gang has devices of a kind of its own: what the twin learns, the network gets."""
    if context.gang.host is context.gang:
        yield network
        return
    with context.gang.scope():
        twin = _built(context, feed)
        twin.set_weights(network.get_weights())
        yield twin
        learned = twin.get_weights()
    network.set_weights(learned)


def float_network(context: Context, network: Network, split: Split) -> Network:
    """The network; where it computes in bfloat16, one with its weights in float32.

    TensorFlow Lite and tfmot know no other numbers, and a processor that serves the published model has to emulate bfloat16.
    """
    if context.config.training.precision is not Precision.MIXED:
        return network
    with float_policy():
        floats = first_network(context, split)
    floats.set_weights(network.get_weights())
    return floats


def _built(context: Context, feed: Feed) -> Network:
    config, settings = context.config, context.settings
    return build(
        config.model,
        shape=feed.shape,
        classes=feed.classes,
        seed=config.training.seed,
        data=open_source(config.data.source, mount=settings.data, access=settings.data_access, patience=context.patience),
        code=settings.code,
    )
