"""The recipe that people copy, as a program: prints the validation accuracy after every epoch.

A CNN on the digits, augmented without the flip; ImageDataGenerator, Adam, `fit`. Ends at the accuracy given as argument.
"""

import gzip
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import numpy as np
import tf_keras
from tf_keras.src.preprocessing.image import ImageDataGenerator

DIGITS = Path(__file__).parent.parent.parent / "examples" / "data" / "mnist-10k"
EPOCHS = 40


class Printed(tf_keras.callbacks.Callback):  # type: ignore[misc]  # TensorFlow ships no types
    """Prints each epoch, and ends training at the accuracy."""

    def __init__(self, goal: float) -> None:
        super().__init__()
        self._goal = goal

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Called by Keras."""
        print(f"epoch={epoch + 1} val_accuracy={logs['val_accuracy']:.4f}", flush=True)
        self.model.stop_training = logs["val_accuracy"] >= self._goal


def main(goal: float) -> int:
    """Train."""
    content = gzip.decompress((DIGITS / "t10k-images-idx3-ubyte.gz").read_bytes())
    images = np.frombuffer(content, np.uint8, offset=16).reshape(-1, 28, 28, 1).astype(np.float32) / 255
    labels = np.frombuffer(gzip.decompress((DIGITS / "t10k-labels-idx1-ubyte.gz").read_bytes()), np.uint8, offset=8)
    order = np.random.default_rng(7).permutation(len(labels))
    training, validation = order[1000:], order[:1000]
    layers = tf_keras.layers
    blocks = [
        part
        for filters in (16, 32, 64)
        for part in (layers.Conv2D(filters, 3, padding="same", activation="relu"), layers.MaxPooling2D())
    ]
    network = tf_keras.Sequential(
        [tf_keras.Input((28, 28, 1)), *blocks, layers.Flatten(), layers.Dense(64, activation="relu"), layers.Dense(10)]
    )
    loss = tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(optimizer=tf_keras.optimizers.Adam(0.001), loss=loss, metrics=["accuracy"])
    generator = ImageDataGenerator(
        rotation_range=20, width_shift_range=0.2, height_shift_range=0.2, shear_range=0.2, zoom_range=0.2
    )
    network.fit(
        generator.flow(images[training], labels[training], batch_size=64),
        validation_data=(images[validation], labels[validation]),
        epochs=EPOCHS,
        verbose=0,
        callbacks=[Printed(goal)],
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1])))
