"""What a TPU's chips compute, on two processors in their place: one device with all samples of a step is the measure."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.patience import patience
from tests.unit.trainer.forking import ForkServer
from tests.unit.trainer.stages_alone import alone, easy_samples
from tests.unit.trainer.starting import a_config
from trainingrun.api import AcceleratorKind, StrategyType
from trainingrun.contract import AttemptConfig, Cause
from trainingrun_trainer.agent.processes import Start, forked
from trainingrun_trainer.errors import TrainerError
from trainingrun_trainer.parallel.tpu import connect, has_chips
from trainingrun_trainer.stages.train import train

UNSCALED = {"epochs": 2, "schedule": {"scaling": "None"}}
CNN = {"builtin": {"type": "CNN"}}
DROPOUT = {"builtin": {"type": "MLP"}, "parameters": [{"name": "dropout", "value": "0.5"}]}
ALIKE: dict[str, dict[str, Any]] = {
    "sgd": {"training": {**UNSCALED, "optimizer": {"name": "SGD", "learningRate": "0.05"}}},
    "adamw": {"training": {**UNSCALED, "optimizer": {"name": "AdamW"}}},
    "penalty": {"training": {**UNSCALED, "regularization": {"l2": "0.01"}}},
    "passes": {"training": UNSCALED, "backwardPassesPerStep": 2},
    "augmented": {"training": UNSCALED, "model": CNN, "augmentation": {"rotationDegrees": "20"}},
}
"""What two devices with half of the samples each must compute as one device does with all of them."""
OTHERS: dict[str, dict[str, Any]] = {
    "dropout": {"training": {**UNSCALED, "epochs": 4, "batchSize": 8}, "model": DROPOUT},
    "auto": {"training": {"epochs": 4, "batchSize": "Auto", "optimizer": {"learningRate": "Auto"}}},
}
WHOLE: dict[str, Any] = {
    "training": {"epochs": 1, "batchSize": 64},
    "compression": {"pruning": {"finalSparsities": ["0.5"], "epochs": 1}, "quantization": {"mode": "Int8"}},
}


@pytest.fixture(scope="module")
def two_devices(tmp_path_factory: pytest.TempPathFactory, builtin_data: Path, fork_server: ForkServer) -> Any:
    """What two devices made of all of these."""
    halves = [{**spec, "training": {**spec["training"], "batchSize": 8}} for spec in ALIKE.values()]
    folder = tmp_path_factory.mktemp("runs")
    arguments = (str(folder), str(builtin_data), json.dumps([*halves, *OTHERS.values(), WHOLE]))
    with (folder / "said").open("w+b") as output:
        start = Start("tests.unit.trainer.two_devices", os.environ, output.fileno(), arguments=arguments)
        assert forked(start, server=fork_server.socket).wait(patience(400)) == 0, (folder / "said").read_text()
    said = json.loads((folder / "said").read_text().splitlines()[-1])
    return dict(zip([*ALIKE, *OTHERS], said["histories"], strict=True)) | {"result": said["result"]}


@pytest.mark.parametrize("name", ALIKE)
def test_two_devices_take_the_steps_that_one_takes_with_all_samples(two_devices: Any, tmp_path: Path, name: str) -> None:
    spec = ALIKE[name]
    samples = easy_samples(120, shape=(8, 8, 1)) if "augmentation" in spec else easy_samples(120)
    rank = alone(tmp_path, **{**spec, "training": {**spec["training"], "batchSize": 16}})
    history = train(rank.context, rank.network(samples), samples).history
    for ours, one in zip(two_devices[name], history, strict=True):
        assert ours == pytest.approx(one, rel=1e-4)


@pytest.mark.parametrize("name", OTHERS)
def test_two_devices_learn(two_devices: Any, name: str) -> None:
    first, *_, last = two_devices[name]
    assert last["loss"] < first["loss"]


def test_a_whole_run_compresses_and_exports_on_the_host_what_the_devices_have_trained(two_devices: Any) -> None:
    result = two_devices["result"]
    metrics = {metric["name"]: float(metric["value"]) for metric in result["metrics"]}
    assert metrics["val_accuracy"] > 0.8
    assert len(result["artifacts"]) > 1


def on_a_tpu(*, hosts: int) -> AttemptConfig:
    config = a_config(replicas=hosts)
    kind = {"accelerator": AcceleratorKind.TPU, "accelerators_per_worker": 4, "strategy": StrategyType.TPU}
    return config.model_copy(update=kind)


def test_a_slice_of_several_hosts_is_refused() -> None:
    with pytest.raises(TrainerError, match=r"a slice over 2 hosts \(workers.replicas\)") as problem:
        connect(on_a_tpu(hosts=2))
    assert problem.value.cause is Cause.BAD_CONFIG


@pytest.mark.parametrize(
    ("given", "sentence"), [({}, "There is no TPU"), ({"TPU_ACCELERATOR_TYPE": "v5litepod-4"}, "The TPU does not start: ")]
)
def test_a_host_without_a_tpu_says_so(monkeypatch: pytest.MonkeyPatch, given: dict[str, str], sentence: str) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(TrainerError, match=sentence) as problem:
        connect(on_a_tpu(hosts=1))
    assert problem.value.cause is Cause.RANK_FAILED


@pytest.mark.parametrize(("device", "expected"), [("accel0", True), ("vfio", True), ("null", False)])
def test_chips_are_devices_of_either_driver(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: str, expected: bool
) -> None:
    monkeypatch.delenv("TPU_ACCELERATOR_TYPE", raising=False)
    (tmp_path / device).touch()
    assert has_chips(tmp_path) is expected
