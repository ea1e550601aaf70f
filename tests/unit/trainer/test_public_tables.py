"""A public table, whose columns are of very different size, is learnt and shipped."""

from pathlib import Path

from tests.unit.trainer.public_tables import WRITERS
from tests.unit.trainer.stages_alone import alone
from tests.unit.trainer.starting import result_of
from tests.unit.trainer.writing import CLAIM
from trainingrun_trainer import pipeline
from trainingrun_trainer.artifacts.runtime import TFLite

WINE = {"format": "CSV", "csv": {"files": "wine.data", "header": False, "labelColumn": "c0"}, "normalization": "Standardize"}


def test_a_table_of_very_different_columns_is_learnt_and_ships_in_eight_bits(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    WRITERS["wine.data"](tmp_path / "data")
    rank = alone(
        tmp_path / "output",
        environment={"TRAININGRUN_DATA_MOUNT": str(tmp_path / "data")},
        data={"source": CLAIM, **WINE, "validationFraction": "0.3"},
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
