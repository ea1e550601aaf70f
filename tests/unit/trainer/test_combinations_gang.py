"""Every format, built-in network, optimizer and augmentation parameter in a run of two ranks on real digits.

Each run has another of all four, so that a handful of runs meets every one of them; networks of others have gangs of their own.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.trainer.starting import Start, result_of
from tests.unit.trainer.writing import CLAIM, digits, image_records, write_csv, write_image_folder, write_tf_record

SAMPLES = 193


def idx_files(folder: Path) -> dict[str, Any]:
    images, labels = digits(SAMPLES)
    (folder / "images").write_bytes(b"\0\0\x08\x03" + np.array([SAMPLES, 28, 28], ">u4").tobytes() + images.tobytes())
    (folder / "labels").write_bytes(b"\0\0\x08\x01" + np.array([SAMPLES], ">u4").tobytes() + labels.astype(np.uint8).tobytes())
    return {"format": "IDX", "idx": {"images": "images", "labels": "labels"}}


def npz_file(folder: Path) -> dict[str, Any]:
    images, labels = digits(SAMPLES)
    np.savez(folder / "digits.npz", x=images, y=labels)
    return {"format": "NPZ", "npz": {"file": "digits.npz", "images": "x", "labels": "y"}}


def image_folder(folder: Path) -> dict[str, Any]:
    write_image_folder(folder, *digits(SAMPLES, channels=3))
    return {"format": "ImageFolder", "image": {"height": 24, "width": 20}}


def tf_record(folder: Path) -> dict[str, Any]:
    write_tf_record(folder / "a.tfrecord", image_records(*digits(SAMPLES)))
    return {"format": "TFRecord"}


def csv_file(folder: Path) -> dict[str, Any]:
    images, labels = digits(SAMPLES)
    write_csv(folder / "a.csv", images.reshape(SAMPLES, -1) / 255, [f"digit {label}" for label in labels])
    return {"format": "CSV", "csv": {"labelColumn": "label"}}


Write = Callable[[Path], dict[str, Any]]

RUNS: dict[str, tuple[Write, str, dict[str, str], dict[str, Any]]] = {
    "IDX, MLP, Adam, rotation": (idx_files, "MLP", {"name": "Adam"}, {"rotationDegrees": "20"}),
    "NPZ, CNN, AdamW, width shift": (npz_file, "CNN", {"name": "AdamW"}, {"widthShift": "0.2", "fillMode": "Constant"}),
    "ImageFolder, CNN, SGD, height shift": (
        image_folder,
        "CNN",
        {"name": "SGD", "momentum": "0.9", "learningRate": "0.01"},
        {"heightShift": "0.2", "fillMode": "Reflect"},
    ),
    "TFRecord, MLP, RMSprop, shear": (tf_record, "MLP", {"name": "RMSprop"}, {"shearDegrees": "11"}),
    "CSV, MLP, Adam": (csv_file, "MLP", {"name": "Adam"}, {}),
    "NPZ, MLP, AdamW, zoom": (npz_file, "MLP", {"name": "AdamW"}, {"zoom": "0.2", "fillMode": "Wrap"}),
    "IDX, CNN, RMSprop, crop": (idx_files, "CNN", {"name": "RMSprop", "momentum": "0.5"}, {"crop": "0.2"}),
    "ImageFolder, MLP, SGD, flip": (image_folder, "MLP", {"name": "SGD", "learningRate": "0.05"}, {"horizontalFlip": True}),
}


ALWAYS = {"ImageFolder, CNN, SGD, height shift", "CSV, MLP, Adam"}
"""The others are for `make test-long`."""


@pytest.mark.parametrize(
    ("write", "network", "optimizer", "augmentation"),
    [pytest.param(*run, id=name, marks=() if name in ALWAYS else pytest.mark.long) for name, run in RUNS.items()],
)
def test_two_ranks_learn(
    start: Start, tmp_path: Path, write: Write, network: str, optimizer: dict[str, str], augmentation: dict[str, Any]
) -> None:
    (tmp_path / "data").mkdir()
    gang = start(
        replicas=1,
        processes=2,
        data={"source": CLAIM, "validationFraction": "0.2", **write(tmp_path / "data")},
        model={"builtin": {"type": network}},
        training={"epochs": 8, "batchSize": 16, "optimizer": optimizer},
        **({"augmentation": augmentation} if augmentation else {}),
    )
    assert gang.wait()[0].exit_code == 0, gang.log(0)[-3000:]
    training = result_of(tmp_path)["training"]
    assert [sum(epoch) for epoch in training["samples"]] == [154] * 8
    losses = [epoch["loss"] for epoch in training["history"]]
    assert losses[-1] < 0.9 * losses[0]
