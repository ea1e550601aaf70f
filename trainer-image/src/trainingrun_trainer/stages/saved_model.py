"""The network as a SavedModel."""

from pathlib import Path
from typing import Any

import tensorflow as tf

from trainingrun_trainer import disk_errors
from trainingrun_trainer.data.feed import Split
from trainingrun_trainer.output.volume import VOLUME, output_failed
from trainingrun_trainer.patience import Patience

Network = Any


_LASTING = (tf.errors.ResourceExhaustedError, tf.errors.PermissionDeniedError)
"""A full disk, or one that may not be written: TensorFlow has its own names for what the system says."""


def save_model(network: Network, *, split: Split, folder: Path, patience: Patience) -> None:
    """Save the network so that it takes raw samples and returns probabilities. What may pass is borne.

    Raises TrainerError (OutputFailed) when the disk is full, or does not work.
    """
    shape, normalization = split.training.shape, split.training.normalization
    module = tf.Module()
    module.network = network

    @tf.function(  # type: ignore[untyped-decorator]  # TensorFlow ships no types
        autograph=False, input_signature=[tf.TensorSpec([None, *shape], tf.float32, name="samples")]
    )
    def serve(samples: Any) -> dict[str, Any]:
        return {"probabilities": tf.nn.softmax(network(normalization(samples), training=False))}

    module.serve = serve
    try:
        patience.bear(
            lambda: tf.saved_model.save(module, str(folder), signatures={"serving_default": serve}),
            may_pass=_may_pass,
            what=VOLUME,
        )
    except (OSError, tf.errors.OpError) as refused:
        raise output_failed(folder, refused) from refused


def _may_pass(problem: Exception) -> bool:
    return disk_errors.may_pass(problem) or (isinstance(problem, tf.errors.OpError) and not isinstance(problem, _LASTING))
