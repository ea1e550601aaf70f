"""What the pipeline refuses before it searches or trains: the mistakes that would else show hours later."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.unit.trainer.stages_alone import Alone, alone
from trainingrun_trainer import pipeline
from trainingrun_trainer.context import Context
from trainingrun_trainer.errors import TrainerError
from trainingrun_trainer.tuning.parameters import with_parameters

MODULE = "refused_networks"
NETWORKS = """
import tensorflow as tf
import tf_keras


def build(input_shape, classes, parameters):
    kind = parameters["kind"]
    network = tf_keras.Sequential([tf_keras.Input(input_shape), tf_keras.layers.Flatten()])
    if kind == "exponential":
        square = tf_keras.layers.Dense(16)
        network.add(square)
        network.add(tf_keras.layers.Lambda(lambda values: tf.linalg.expm(tf.reshape(values, [-1, 4, 4]))[:, 0]))
    if kind == "bare":
        network.add(tf_keras.layers.BatchNormalization())
        network.add(tf_keras.layers.Lambda(lambda values: values[:, :classes]))
    else:
        network.add(tf_keras.layers.Dense(classes))
    return network
"""
SEARCH = {"trials": 1, "parameters": [{"name": "training.batchSize", "categorical": ["64"]}]}


@pytest.fixture(autouse=True)
def modules_as_they_were() -> Iterator[None]:
    """Python's path and modules belong to the whole process."""
    before = list(sys.path)
    yield
    sys.path[:] = before
    sys.modules.pop(MODULE, None)


@pytest.fixture(autouse=True)
def nothing_that_takes_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails the test when the search or the training is reached."""

    def reached(*_: Any) -> Any:
        pytest.fail("the mistake should have been found before")

    monkeypatch.setattr(pipeline, "tune", reached)
    monkeypatch.setattr(pipeline, "train", reached)


def a_network(kind: str) -> dict[str, Any]:
    """One of the networks above."""
    entrypoint = {"function": f"{MODULE}:build", "configMapName": "networks"}
    return {"entrypoint": entrypoint, "parameters": [{"name": "kind", "value": kind}]}


def a_rank(folder: Path, data: Path, **spec: Any) -> Alone:
    (folder / f"{MODULE}.py").write_text(NETWORKS)
    environment = {"TRAININGRUN_BUILTIN_DATA": str(data), "TRAININGRUN_CODE_MOUNT": str(folder)}
    return alone(folder / "output", environment=environment, **{"tuning": SEARCH, **spec})


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "nothing to prune": (
        {"compression": {"pruning": {"skipLayers": ["First", "Last"]}}},
        r"spec\.compression\.pruning has nothing to prune: the network has no dense or convolutional layer beside those in "
        r"skipLayers, First, Last\. Name fewer layers, or remove",
    ),
    "no layer that can be pruned": (
        {"model": a_network("bare"), "compression": {"pruning": {}}},
        r"spec\.compression\.pruning has nothing to prune: the network has no dense or convolutional layer to train\. Give it "
        r"one, or remove spec\.compression\.pruning\.",
    ),
    "nothing that TensorFlow Lite can express": (
        {"model": a_network("exponential"), "compression": {"pruning": {}}},
        r"TensorFlow Lite cannot express the network of spec\.model: it has nothing like the operation "
        r"tf\.MatrixSolve of TensorFlow\.",
    ),
    "nothing that TensorFlow Lite can express in eight bits": (
        {"model": a_network("exponential"), "compression": {"quantization": {"mode": "Int8"}}},
        r"TensorFlow Lite cannot express the network of spec\.model with spec\.compression\.quantization\.mode Int8: it has "
        r"nothing like the operation tf\.MatrixSolve of TensorFlow\.",
    ),
}


@pytest.mark.parametrize(("spec", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_compressed_is_refused_first(
    tmp_path: Path, builtin_data: Path, spec: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(TrainerError, match=sentence) as refused:
        pipeline.run(a_rank(tmp_path, builtin_data, **spec).context)
    assert (refused.value.cause, refused.value.exit_code) == ("BadConfig", 64)


def test_a_network_that_the_search_has_found_is_looked_at_too(
    tmp_path: Path, builtin_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found(context: Context, _: Any) -> Context:
        return replace(context, config=with_parameters(context.config, {"model.parameters.kind": "bare"}))

    monkeypatch.setattr(pipeline, "tune", found)
    rank = a_rank(tmp_path, builtin_data, model=a_network("dense"), compression={"pruning": {}})
    with pytest.raises(TrainerError, match="has nothing to prune"):
        pipeline.run(rank.context)
