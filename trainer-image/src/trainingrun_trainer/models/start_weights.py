"""Start weights from an HDF5 file, as tf_keras' `save_weights` writes it and as Keras publishes it for its applications."""

import io
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from trainingrun_trainer.data.files import read_file
from trainingrun_trainer.errors import TrainerError, bad_config
from trainingrun_trainer.storage import Folder

Network = Any
Arrays = list[NDArray[Any]]

_FIELD = "spec.model.application.weightsFile"


def load_weights(network: Network, data: Folder | None, name: str, *, of: str) -> None:
    """Give every layer its weights from the file `name` of the data source; `of` is what people call the network.

    Layers are found by their names or, if those differ and there are as many, by their order; layers of the file that the
    network does not have, such as a classifier, are left out.
    Raises TrainerError: bad data when the file is missing, bad config when it is no such file, or naming the layer that does
    not fit.
    """
    saved = _read(data, name)
    layers = [layer for layer in network.layers if layer.weights]
    unknown = [layer.name for layer in layers if layer.name not in saved]
    if unknown and len(saved) != len(layers):
        raise bad_config(
            f"{_FIELD} {name} has no layer {unknown[0]} of {of}: it holds {len(saved)} layers, {_some(saved)}. Use a "
            "file of this network, or leave it out."
        )
    arrays = saved.values() if unknown else [saved[layer.name] for layer in layers]
    for layer, values in zip(layers, arrays, strict=True):
        expected, found = [tuple(weight.shape) for weight in layer.weights], [value.shape for value in values]
        if expected != found:
            raise bad_config(
                f"{_FIELD} {name} does not fit {of}: layer {layer.name} has weights of the shapes "
                f"{_shapes(expected)}, but those in the file have {_shapes(found)}. Use a file of this network with the same "
                "parameters, or leave it out."
            )
    for layer, values in zip(layers, arrays, strict=True):
        layer.set_weights(values)


def _read(data: Folder | None, name: str) -> dict[str, Arrays]:
    """The weights of all layers that have some, in their order."""
    if data is None:
        raise bad_config(f"{_FIELD} {name} is read from the data source, which holds no files: remove it.")
    content = read_file(data, name, field=_FIELD)
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            return {layer: arrays for layer, arrays in _layers(file.get("model_weights", file)) if arrays}
    except (OSError, KeyError) as wrong:
        raise _no_weights_file(name, wrong) from wrong


def _layers(group: Any) -> Iterator[tuple[str, Arrays]]:
    for layer in _names(group, "layer_names"):
        yield layer, [np.asarray(group[layer][weight]) for weight in _names(group[layer], "weight_names")]


def _names(group: Any, attribute: str) -> list[str]:
    """A list of names; Keras splits one that is too long for HDF5 into numbered parts."""
    parts = [attribute] if attribute in group.attrs else [f"{attribute}{number}" for number in range(len(group.attrs))]
    names = [name for part in parts if part in group.attrs for name in group.attrs[part]]
    if not names and parts != [attribute]:
        raise KeyError(f"it has no {attribute}")
    return [name.decode() if isinstance(name, bytes) else str(name) for name in names]


def _no_weights_file(name: str, problem: Exception) -> TrainerError:
    return bad_config(
        f"{_FIELD} {name} is no file of weights in HDF5 ({problem}): write it with save_weights of a tf_keras model, to a name "
        "that ends with .h5 but not with .weights.h5."
    )


def _some(saved: dict[str, Arrays]) -> str:
    names = list(saved)
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")


def _shapes(shapes: list[tuple[int, ...]]) -> str:
    return ", ".join(str(list(shape)) for shape in shapes) or "none"
