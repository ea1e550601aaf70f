"""What all networks of the trainer's own have in common: the names of their layers, and logits in float32."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from tests.unit.trainer.dwarfs import dwarf
from tests.unit.trainer.stages_alone import ABOUT, alone, easy_samples
from trainingrun.api import Model
from trainingrun_trainer import pipeline
from trainingrun_trainer.compression.masks import layers_to_prune
from trainingrun_trainer.models.networks import build
from trainingrun_trainer.patience import Patience
from trainingrun_trainer.stages.compressible import require_compressible
from trainingrun_trainer.stages.network import first_network, float_network
from trainingrun_trainer.stages.saved_model import save_model

CNN = [
    "conv2d",
    "max_pooling2d",
    "conv2d_1",
    "max_pooling2d_1",
    "flatten",
    "dense",
    "dropout",
    "dense_1",
    "dropout_1",
    "logits",
]
CNN_PARAMETERS = {"filters": "2,2", "hiddenUnits": "3,3", "dropout": "0.1"}


def a_model(kind: str, **parameters: str) -> dict[str, Any]:
    """A built-in network or an application, as a specification has it."""
    of = {"builtin": {"type": kind}} if kind in ("MLP", "CNN") else {"application": {"name": kind}}
    return {**of, "parameters": [{"name": name, "value": value} for name, value in parameters.items()]}


def built(kind: str, **parameters: str) -> Any:
    return build(Model.model_validate(a_model(kind, **parameters)), shape=(32, 32, 3), classes=4, seed=1)


@pytest.fixture
def mixed() -> Iterator[None]:
    """Layers compute in bfloat16, as in a rank with `precision: Mixed`."""
    tf_keras.mixed_precision.set_global_policy("mixed_bfloat16")
    yield
    tf_keras.mixed_precision.set_global_policy("float32")


@pytest.mark.parametrize(
    ("kind", "parameters", "names"),
    [
        ("MLP", {}, ["flatten", "dense", "logits"]),
        ("MLP", {"hiddenUnits": "4,4,4"}, ["flatten", "dense", "dense_1", "dense_2", "logits"]),
        ("CNN", CNN_PARAMETERS, CNN),
    ],
)
def test_layers_of_built_in_networks_have_names_that_do_not_depend_on_what_was_built_before(
    kind: str, parameters: dict[str, str], names: list[str]
) -> None:
    tf_keras.layers.Conv2D(1, 1), tf_keras.layers.Dense(1), tf_keras.layers.Flatten()
    for _ in range(2):
        assert [layer.name for layer in built(kind, **parameters).layers] == names


@pytest.mark.parametrize("skip", [["conv2d"], ["conv2d_1", "dense"], ["conv2d", "logits"]])
def test_layers_to_skip_are_found_in_every_network_that_mixed_precision_builds(
    tmp_path: Path, mixed: None, skip: list[str]
) -> None:
    samples = easy_samples(60, shape=(8, 8, 1))
    blocks: dict[str, Any] = {"training": {"precision": "Mixed"}, "compression": {"pruning": {"skipLayers": skip}}}
    context = alone(tmp_path, model=a_model("CNN", **CNN_PARAMETERS), **blocks).context
    network = first_network(context, samples)
    for _ in range(2):
        require_compressible(context, network, samples)
        network = float_network(context, network, samples)
        assert not {layer.name for layer in layers_to_prune(network, skip=skip)} & set(skip)


@pytest.mark.parametrize("kind", ["MLP", "CNN", "MobileNet", "DenseNet121"])
def test_logits_are_float32_where_the_other_layers_compute_in_bfloat16(
    mixed: None, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Between 8 and 16 a logit of bfloat16 moves in steps of a sixteenth."""
    dwarf(monkeypatch)
    network = built(kind)
    assert network(np.zeros((1, 32, 32, 3), np.float32)).dtype == tf.float32
    computes = {layer.compute_dtype for layer in network.layers if layer.weights and layer.name != "logits"}
    assert computes == {"bfloat16"}


def test_what_is_compressed_measured_and_published_after_mixed_precision_is_float32(
    tmp_path: Path, mixed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples, seen = easy_samples(60, shape=(8, 8, 1)), []
    context = alone(tmp_path, model=a_model("CNN", **CNN_PARAMETERS), training={"precision": "Mixed"}).context

    def trained(_: Any, network: Any, __: Any) -> Any:
        network.set_weights([np.full_like(weight, 0.125) for weight in network.get_weights()])
        assert network.layers[0].compute_dtype == "bfloat16"
        return SimpleNamespace(history=[{"loss": 0.0, "accuracy": 1.0}], best_epoch=1)

    def looked_at(_: Any, network: Any, *__: Any) -> Any:
        seen.append(network)
        return SimpleNamespace(metrics={}, predictions=None, result=None, reasons=())

    monkeypatch.setattr(pipeline, "load_split", lambda _: (samples, ABOUT))
    monkeypatch.setattr(pipeline, "choose", lambda context, *_: context)
    monkeypatch.setattr(pipeline, "train", trained)
    monkeypatch.setattr(pipeline, "require_accepted", lambda *_: None)
    for stage in ("compress", "evaluate", "export"):
        monkeypatch.setattr(pipeline, stage, looked_at)
    pipeline.run(context)
    assert len(seen) == 3
    for network in seen:
        assert {layer.compute_dtype for layer in network.layers} == {"float32"}
        assert all((weight == 0.125).all() for weight in network.get_weights())

    save_model(seen[-1], split=samples, folder=tmp_path / "saved", patience=Patience())
    graph = tf.saved_model.load(str(tmp_path / "saved")).signatures["serving_default"].graph.as_graph_def()
    functions = [node for function in graph.library.function for node in function.node_def]
    assert not [node.name for node in [*graph.node, *functions] if "DT_BFLOAT16" in str(node)]
