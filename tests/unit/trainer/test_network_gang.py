"""Networks that do not come with the trainer, on two real ranks, from files to a published model."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.unit.trainer.starting import Start, result_of

SIZE = 32


def put_colours(tmp_path: Path, *, count: int = 160) -> dict[str, Any]:
    """Small colour images, of two classes that differ in one colour; returns the data block that reads them."""
    labels = np.arange(count) % 2
    images = np.random.default_rng(1).integers(0, 60, (count, SIZE, SIZE, 3))
    images[..., 0] += labels[:, None, None] * 180
    (tmp_path / "data").mkdir()
    np.savez(tmp_path / "data" / "d.npz", x=images.astype(np.uint8), y=labels)
    return {
        "source": {"persistentVolumeClaim": {"claimName": "datasets"}},
        "format": "NPZ",
        "npz": {"file": "d.npz", "images": "x", "labels": "y"},
        "validationFraction": "0.2",
    }


@pytest.mark.long
def test_an_application_learns_on_two_ranks_and_is_published(start: Start, tmp_path: Path) -> None:
    parameters = [{"name": "alpha", "value": "0.35"}, {"name": "normalizationMomentum", "value": "0.5"}]
    model = {"application": {"name": "MobileNetV2"}, "parameters": parameters}
    augmentation = {"widthShift": "0.1", "horizontalFlip": True, "fillMode": "Wrap"}
    training = {"epochs": 12, "batchSize": 16, "optimizer": {"learningRate": "0.002"}, "regularization": {"l2": "1e-5"}}
    gang = start(data=put_colours(tmp_path), model=model, augmentation=augmentation, training=training)
    assert [record.exit_code for record in gang.wait()] == [0, 0], gang.log(0)[-3000:]
    result = result_of(tmp_path)
    assert result["metrics"]["val_accuracy"] > 0.9
    assert result["training"]["samples"][0] == [64, 64]

    images = np.load(tmp_path / "data" / "d.npz")
    published = tf.saved_model.load(str(tmp_path / "output" / "run" / "model")).signatures["serving_default"]
    probabilities = published(samples=tf.constant(images["x"].astype(np.float32)))["probabilities"].numpy()
    assert (probabilities.argmax(axis=1) == images["y"]).mean() > 0.9


NETWORK = """
import tf_keras

def build(input_shape, classes, parameters):
    network = tf_keras.Sequential([tf_keras.Input(input_shape), tf_keras.layers.AveragePooling2D(parameters["pool"])])
    network.add(tf_keras.layers.Flatten())
    network.add(tf_keras.layers.BatchNormalization(momentum=0.9))
    network.add(tf_keras.layers.Dense(classes))
    return network
"""


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the ranks find the files of a ConfigMap."""
    folder = tmp_path / "code"
    folder.mkdir()
    monkeypatch.setenv("TRAININGRUN_CODE_MOUNT", str(folder))
    return folder


ENTRYPOINT = {
    "entrypoint": {"function": "my_models:build", "configMapName": "my-models"},
    "parameters": [{"name": "pool", "value": "8"}],
}


def test_a_users_function_is_trained_on_two_ranks(start: Start, tmp_path: Path, code: Path) -> None:
    (code / "my_models.py").write_text(NETWORK)
    gang = start(data=put_colours(tmp_path), model=ENTRYPOINT, training={"epochs": 20, "batchSize": 16})
    assert [record.exit_code for record in gang.wait()] == [0, 0], gang.log(0)[-3000:]
    assert result_of(tmp_path)["metrics"]["val_accuracy"] > 0.9


def test_a_users_function_that_fails_is_the_cause_in_the_last_word(start: Start, code: Path) -> None:
    (code / "my_models.py").write_text(NETWORK.replace('parameters["pool"]', 'parameters["size"]'))
    record = start(replicas=1, model=ENTRYPOINT).wait()[0]
    assert (record.exit_code, record.cause) == (64, "BadConfig")
    assert "spec.model.entrypoint.function my_models:build raised KeyError: 'size' (my_models.py, line 5: " in record.message


def test_a_users_function_that_hangs_is_found_by_its_line(start: Start, code: Path) -> None:
    slow = NETWORK.replace("    network = ", "    time.sleep(600)\n    network = ", 1)
    (code / "my_models.py").write_text(f"import time\n{slow}")
    gang = start(replicas=1, model=ENTRYPOINT)

    def is_found() -> bool:
        gang.ask_for_stacks(0)
        return "my_models.py" in gang.log(0)

    gang.wait_until(is_found)
    assert 'my_models.py", line 6 in build' in gang.log(0)
