"""What docs/how-to/data.md says to write for public tables reads them as they are published."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.trainer.public_tables import WRITERS
from tests.unit.trainer.stages_alone import alone
from tests.unit.trainer.starting import result_of
from tests.unit.trainer.writing import CLAIM
from trainingrun_trainer import pipeline
from trainingrun_trainer.artifacts.runtime import TFLite
from trainingrun_trainer.data.feed import Split
from trainingrun_trainer.data.source import About, load_split

PAGE = Path(__file__).parent.parent.parent.parent / "docs" / "how-to" / "data.md"
ROW = re.compile(r"^\| .*`(?P<name>[^`\n]+)`[^|\n]*\| `csv: (?P<csv>\{.*\})` \|", re.MULTILINE)
TOLD = {row["name"]: yaml.safe_load(row["csv"]) for row in ROW.finditer(PAGE.read_text())}

EXPECTED: dict[str, tuple[int, int, int, tuple[str, ...]]] = {
    "wine.data": (178, 13, 3, ("1", "2", "3")),
    "iris.data": (150, 4, 3, ("Iris-setosa", "Iris-versicolor", "Iris-virginica")),
    "adult.data": (200, 24, 2, ("<=50K", ">50K")),
    "digit-recognizer": (60, 784, 10, ()),
    "winequality-red.csv": (120, 11, 6, ("3", "4", "5", "6", "7", "8")),
}
"""Samples, features, classes and their names."""


def data(name: str) -> dict[str, Any]:
    """`spec.data` as the page says, and what the operator adds."""
    return {"source": CLAIM, "format": "CSV", "csv": TOLD[name], "normalization": "Standardize"}


def read(folder: Path, name: str) -> tuple[Split, About]:
    WRITERS[name](folder)
    return load_split(alone(folder, environment={"TRAININGRUN_DATA_MOUNT": str(folder)}, data=data(name)).context)


def test_the_page_has_all_of_them() -> None:
    assert set(TOLD) == set(WRITERS) == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_public_table_is_read_as_it_is_published(tmp_path: Path, name: str) -> None:
    split, about = read(tmp_path, name)
    samples, features, classes, names = EXPECTED[name]
    assert sum(len(feed) for feed in (split.training, split.validation, split.test)) == samples
    assert split.training.shape == (features,)
    assert (split.training.classes, about.class_names, len(about.features)) == (classes, names, features)


def test_a_table_of_very_different_columns_is_learnt_and_ships_in_eight_bits(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    WRITERS["wine.data"](tmp_path / "data")
    rank = alone(
        tmp_path / "output",
        environment={"TRAININGRUN_DATA_MOUNT": str(tmp_path / "data")},
        data={**data("wine.data"), "validationFraction": "0.3"},
        training={"epochs": 12, "batchSize": 8, "optimizer": {"name": "Adam", "learningRate": "0.005"}},
        compression={"quantization": {"mode": "Int8", "calibrationSamples": 50}},
    )
    pipeline.run(rank.context)
    result = result_of(tmp_path)
    assert {model["name"]: model["measured"]["accuracy"] > 0.92 for model in result["compression"]["models"]} == {
        "dense": True,
        "dense-int8": True,
    }
    assert [feature["column"] for feature in result["data"]["features"]] == [f"c{place}" for place in range(1, 14)]
    assert len(result["data"]["normalization"]["mean"]) == 13
    model = (tmp_path / "output" / "run" / "dense-int8.tflite").read_bytes()
    assert TFLite(model)._input["dtype"].__name__ == "float32"
