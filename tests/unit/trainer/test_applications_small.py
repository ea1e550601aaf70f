"""Networks of tf_keras.applications made smaller: which of the ways work is what the documentation's table says.

All of it takes minutes. `test_applications` asks of each that its layers are found and have rules, and `test_quantize` that
layers of each kind compute in integers what they were taught to expect.
"""

import re
from pathlib import Path

import numpy as np
import pytest
import tf_keras

from tests.unit.trainer.dwarfs import dwarf
from tests.unit.trainer.stages_alone import alone, easy_samples
from trainingrun.api import ApplicationName, Model
from trainingrun_trainer.artifacts.measure import measure
from trainingrun_trainer.artifacts.runtime import TFLite, interpreter
from trainingrun_trainer.compression.aware import aware_of_quantization
from trainingrun_trainer.compression.masks import layers_to_prune
from trainingrun_trainer.models.networks import build
from trainingrun_trainer.stages.prune import prune
from trainingrun_trainer.stages.quantize import quantize
from trainingrun_trainer.stages.train import train


@pytest.mark.long
@pytest.mark.parametrize("mode", ["Int8", "Int8Aware"])
@pytest.mark.parametrize("name", ApplicationName)
def test_an_application_is_pruned_and_answers_as_well_in_eight_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, mode: str
) -> None:
    dwarf(monkeypatch)
    samples = easy_samples(160, shape=(32, 32, 3))
    rank = alone(
        tmp_path,
        model={"application": {"name": name}},
        training={"epochs": 6, "batchSize": 8},
        compression={
            "pruning": {"finalSparsities": ["0.3"], "epochs": 2},
            "quantization": {"mode": mode, "calibrationSamples": 8},
        },
    )
    network = rank.network(samples)
    train(rank.context, network, samples)
    [pruned] = prune(rank.context, network, samples)
    found = quantize(rank.context, network, samples, name="model")
    assert pruned.share == pytest.approx(0.3, abs=0.01)
    assert measure(found.tflite, TFLite(found.tflite), samples.test)[0].accuracy > 0.9
    kinds = {details["dtype"] for details in interpreter(found.tflite).get_tensor_details()}
    assert kinds <= {np.int8, np.int32}


@pytest.mark.long
@pytest.mark.parametrize("name", ApplicationName)
def test_a_whole_application_is_built_pruned_and_made_aware(name: str) -> None:
    """Not only a dwarf of it."""
    network = build(Model.model_validate({"application": {"name": name}}), shape=(32, 32, 3), classes=10, seed=1)
    assert network(np.zeros((1, 32, 32, 3), np.float32)).shape == (1, 10)
    assert layers_to_prune(network, skip=())
    assert isinstance(aware_of_quantization(network), tf_keras.Model)


def test_the_documentation_has_a_row_for_each_application() -> None:
    page = (Path(__file__).parents[3] / "docs" / "explanation" / "compression.md").read_text()
    rows = re.findall(r"^\| ([`\w, ]+) \| yes \| yes \| yes \|", page, flags=re.MULTILINE)
    assert sorted(re.findall(r"`(\w+)`", " ".join(rows))) == sorted(["CNN", "MLP", *ApplicationName])
