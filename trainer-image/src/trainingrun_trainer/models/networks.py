"""The network of `spec.model` as a tf_keras model that returns logits."""

from pathlib import Path
from typing import Any

import tensorflow as tf
import tf_keras

from trainingrun.api import Model
from trainingrun.contract import CODE_MOUNT
from trainingrun_trainer.errors import bad_config
from trainingrun_trainer.models.application import build_application
from trainingrun_trainer.models.builtin import build_builtin
from trainingrun_trainer.models.entrypoint import build_entrypoint
from trainingrun_trainer.storage import Folder

Network = Any
Tensor = Any


def build(
    model: Model,
    *,
    shape: tuple[int, ...],
    classes: int,
    seed: int,
    data: Folder | None = None,
    code: Path = Path(CODE_MOUNT),
) -> Network:
    """Build the network for samples of this shape; equal seeds give equal weights.

    `data` is the data source, which may hold start weights, and `code` is where a ConfigMap with the user's network is mounted.
    Raises TrainerError (bad config) when the network cannot take such samples or cannot be built.
    """
    tf_keras.utils.set_random_seed(seed)
    if model.builtin is not None:
        return build_builtin(model, shape=shape, classes=classes)
    if model.application is not None:
        return build_application(model, shape=shape, classes=classes, data=data)
    if model.entrypoint is not None:
        return build_entrypoint(model, shape=shape, classes=classes, code=code)
    raise bad_config("spec.model names no network: set one of builtin, application and entrypoint.")


def moving_statistics(network: Network) -> list[Any]:
    """Variables that the network updates itself while it trains, such as the statistics of batch normalisation.

    Each rank has its own, of the samples that it has seen. Weights that are frozen are not among them.
    """
    return [variable for variable in network.non_trainable_variables if not variable.trainable and variable.dtype.is_floating]


def penalty(network: Network, *, l2: float) -> Tensor:
    """What large weights add to the loss: `l2` times the sum of the squared kernels, and the network's own regularizers.

    Kernels are those of dense and convolutional layers, depthwise ones included; biases and the scales and offsets of
    normalisation stay free. To be asked for after the network has been called, in the same graph.
    """
    kernels = [weight for weight in network.trainable_variables if "kernel" in weight.name.rpartition("/")[2]]
    squares = [2 * l2 * tf.nn.l2_loss(kernel) for kernel in kernels] if l2 > 0 else []
    return tf.add_n([tf.zeros([]), *squares, *network.losses])
