"""The network as a SavedModel."""

from pathlib import Path
from typing import Any

import tensorflow as tf

from trainingrun_trainer.data.feed import Split
from trainingrun_trainer.output.volume import output_failed

Network = Any


def save_model(network: Network, *, split: Split, folder: Path) -> None:
    """Save the network so that it takes raw samples and returns probabilities.

    Raises TrainerError (OutputFailed) when the disk is full.
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
        tf.saved_model.save(module, str(folder), signatures={"serving_default": serve})
    except (OSError, tf.errors.OpError) as refused:
        raise output_failed(folder, refused) from refused
