"""Sets of random samples in each format, large enough that reading them is seen beside the import of TensorFlow."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from tools import records

ROWS, COLUMNS = 60_000, 30
PICTURES = 4_000
CLASSES = 10


def write(folder: Path) -> None:
    """Write `csv`, `npz`, `folders` and `records` below a folder."""
    random = np.random.default_rng(1)
    (folder / "csv").mkdir()
    labels = np.arange(ROWS) % CLASSES
    table = np.column_stack([random.normal(labels[:, None], 3, (ROWS, COLUMNS)), labels])
    header = ",".join([*(f"c{place}" for place in range(COLUMNS)), "label"])
    np.savetxt(folder / "csv" / "a.csv", table, fmt=["%.5g"] * COLUMNS + ["%d"], delimiter=",", header=header, comments="")
    (folder / "npz").mkdir()
    images = random.integers(0, 256, (ROWS // 3, 28, 28), dtype=np.uint8)
    np.savez(folder / "npz" / "mnist.npz", x_train=images, y_train=labels[: len(images)].astype(np.uint8))
    for label in range(CLASSES):
        place = folder / "folders" / f"class-{label}"
        place.mkdir(parents=True)
        for number in range(PICTURES // CLASSES):
            pixels = random.integers(0, 20 * (label + 2), (96, 96, 3), dtype=np.uint8)
            (place / f"{number}.jpg").write_bytes(tf.io.encode_jpeg(pixels).numpy())
    records.main([str(folder / "records"), "--gigabytes", "0.03"])
