"""The examples on data in the form that they are written for: small, generated, and trained on for an epoch or two."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.trainer.dwarfs import DWARFS, dwarf
from tests.unit.trainer.public_tables import WRITERS
from tests.unit.trainer.stages_alone import alone
from tests.unit.trainer.starting import result_of
from tests.unit.trainer.test_published import keras_cifar10, noise, tfds_flowers
from tests.unit.trainer.writing import CLAIM, jpeg
from trainingrun.api import ApplicationName
from trainingrun_trainer import pipeline

EXAMPLES = Path(__file__).parent.parent.parent.parent / "examples"


def pets(folder: Path) -> None:
    """Ten pictures of each class."""
    for place, picture in enumerate(noise(20, 70, 66, 3)):
        file = folder / ("cat" if place % 2 else "dog") / f"{place}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(jpeg(picture))


def pets_and_weights(folder: Path) -> None:
    """Below `pets`, beside weights of the network without its classifier."""
    pets(folder / "pets")
    network = DWARFS[ApplicationName.MOBILE_NET_V2](alpha=0.35, include_top=False, weights=None, input_shape=(96, 96, 3))
    network.save_weights(folder / "mobilenet_v2.h5")


WRITTEN: Mapping[str, tuple[Callable[[Path], None], int]] = {
    "iris": (WRITERS["iris.data"], 3),
    "cifar10": (keras_cifar10, 10),
    "flowers": (tfds_flowers, 5),
    "pets": (pets, 2),
    "pets-transfer": (pets_and_weights, 2),
}
"""What writes the data of an example, and how many classes they have."""


def spec_of(example: str) -> dict[str, Any]:
    (run,) = yaml.safe_load_all((EXAMPLES / f"{example}.yaml").read_text())
    spec: dict[str, Any] = run["spec"]
    return spec


def test_every_example_with_data_of_its_own_is_here() -> None:
    runs = [(path.stem, each) for path in EXAMPLES.glob("*.yaml") for each in yaml.safe_load_all(path.read_text())]
    on_claims = {name for name, each in runs if each["kind"] == "TrainingRun" and claim(each["spec"]) == "datasets"}
    others = {"gpu", "tpu"}
    on_digits = {name for name in on_claims if "mnist-10k" in str(spec_of(name)["data"])}
    assert on_claims - others - on_digits == set(WRITTEN)


def claim(spec: Mapping[str, Any]) -> str:
    source = spec["data"]["source"]
    return str(source.get("persistentVolumeClaim", {}).get("claimName", ""))


@pytest.mark.parametrize("name", WRITTEN)
def test_an_example_trains_on_data_as_it_says(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    dwarf(monkeypatch)
    write, classes = WRITTEN[name]
    spec = spec_of(name)
    (tmp_path / "data").mkdir()
    write(tmp_path / "data")
    data = {**as_contract(spec["data"]), "source": CLAIM, "validationFraction": "0.4", "testFraction": "0"}
    if data["format"] == "CSV":
        data = {**data, "normalization": "Standardize"}  # as the operator writes it
    rank = alone(
        tmp_path / "output",
        environment={"TRAININGRUN_DATA_MOUNT": str(tmp_path / "data")},
        data=data,
        model=as_contract(spec["model"]),
        augmentation=as_contract(spec.get("augmentation")),
        training={**as_contract(spec["training"]), "epochs": spec["training"].get("schedule", {}).get("warmupEpochs", 0) + 1},
    )
    pipeline.run(rank.context)
    assert result_of(tmp_path)["data"]["classes"] == classes


def as_contract(value: Any) -> Any:
    """Part of a spec as attempts are given it: decimals are text, parameters a list."""
    match value:
        case {"parameters": parameters, **others}:
            named = [{"name": name, "value": text_of(each)} for name, each in parameters.items()]
            return {**as_contract(others), "parameters": named}
        case dict():
            return {name: as_contract(each) for name, each in value.items()}
        case float():
            return str(value)
    return value


def text_of(value: Any) -> str:
    return ",".join(map(text_of, value)) if isinstance(value, list) else str(value)
