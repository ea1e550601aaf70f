"""The stage that finds out, before anything is searched or trained, what compression would refuse after hours of it."""

from typing import Any

from trainingrun_trainer.compression.check import check_compression, check_conversion
from trainingrun_trainer.context import Context
from trainingrun_trainer.data.feed import Split
from trainingrun_trainer.models.policy import float_policy
from trainingrun_trainer.stages.network import float_network

Network = Any


def require_compressible(context: Context, network: Network, split: Split) -> None:
    """Raises TrainerError (bad config) when `spec.compression` cannot be done with the network or its samples."""
    compression = context.config.compression
    if compression is None:
        return
    floats = float_network(context, network, split)
    with float_policy():
        check_compression(compression, floats)
        # All other networks are known to be convertible; and rank 0 is the one that will convert.
        if context.is_chief and context.config.model.entrypoint is not None:
            check_conversion(compression, floats, split.training)
