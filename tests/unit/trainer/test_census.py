"""What the log says of the data."""

from pathlib import Path

import numpy as np
import pytest

from tests.unit.trainer.stages_alone import alone
from tests.unit.trainer.writing import CLAIM
from trainingrun_trainer.data.census import census
from trainingrun_trainer.data.source import load_split


def test_classes_are_named_with_their_samples_and_parts_that_are_empty_are_not() -> None:
    parts = {"training": 900, "validation": 334, "test": 0}
    assert census([1200, 34], names=("cat", "dog"), parts=parts) == (
        "data: 1,234 samples of 2 classes (cat 1,200, dog 34); 900 for training, 334 for validation"
    )


def test_of_many_classes_the_smallest_and_the_largest_are_named() -> None:
    said = census([5, 3, 9, *[6] * 20], names=(), parts={"training": 137})
    assert said == "data: 137 samples of 23 classes (from 1 3 to 2 9); 137 for training"


def test_the_log_begins_with_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = np.array(["cat"] * 12 + ["dog"] * 8)
    np.savez(tmp_path / "pets.npz", x_train=np.zeros((20, 3), np.float32), y_train=labels)
    rank = alone(
        tmp_path / "output",
        environment={"TRAININGRUN_DATA_MOUNT": str(tmp_path)},
        data={
            "source": CLAIM,
            "format": "NPZ",
            "npz": {"file": "pets.npz"},
            "testFraction": "0.2",
        },
    )
    load_split(rank.context)
    assert (
        "data: 20 samples of 2 classes (cat 12, dog 8); 14 for training, 2 for validation, 4 for test"
        in capsys.readouterr().out
    )
