"""The network that a stage begins with."""

from typing import Any

from trainingrun_trainer.context import Context
from trainingrun_trainer.data.feed import Split
from trainingrun_trainer.models.networks import build
from trainingrun_trainer.storage import open_source

Network = Any


def first_network(context: Context, split: Split) -> Network:
    """The network of the configuration for samples of this split, with its first weights: see `build`."""
    config, settings = context.config, context.settings
    return build(
        config.model,
        shape=split.training.shape,
        classes=split.training.classes,
        seed=config.training.seed,
        data=open_source(config.data.source, mount=settings.data, access=settings.data_access),
        code=settings.code,
    )
