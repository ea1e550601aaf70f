"""The network of `spec.model` as a tf_keras model that returns logits."""

from pathlib import Path
from typing import Any

import tf_keras

from trainingrun.api import Model
from trainingrun.contract import CODE_MOUNT
from trainingrun_trainer.errors import bad_config
from trainingrun_trainer.models.application import build_application
from trainingrun_trainer.models.builtin import build_builtin
from trainingrun_trainer.models.entrypoint import build_entrypoint
from trainingrun_trainer.storage import Folder

Network = Any


def build(
    model: Model,
    *,
    shape: tuple[int, ...],
    classes: int,
    seed: int,
    data: Folder | None = None,
    code: Path = Path(CODE_MOUNT),
) -> Network:
    """Build the network for samples of this shape; equal seeds give equal weights, and layers the same names each time.

    `data` is the data source, which may hold start weights, and `code` is where a ConfigMap with the user's network is mounted.
    Raises TrainerError (bad config) when the network cannot take such samples or cannot be built.
    """
    tf_keras.utils.set_random_seed(seed)
    tf_keras.backend.reset_uids()  # Keras numbers layers without a name through the whole process
    if model.builtin is not None:
        return build_builtin(model, shape=shape, classes=classes)
    if model.application is not None:
        return build_application(model, shape=shape, classes=classes, data=data)
    if model.entrypoint is not None:
        return build_entrypoint(model, shape=shape, classes=classes, code=code)
    raise bad_config("spec.model names no network: set one of builtin, application and entrypoint.")
