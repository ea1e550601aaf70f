"""Write a large TFRecord set, to measure how data is trained on that does not fit into memory.

.venv-trainer/bin/python -m tools.records FOLDER --gigabytes 5

The images are noise that shows its label in its brightness: 64 of them per class are encoded once as JPEG, and repeated in an
order that follows from the number of the file. Run it with the trainer's environment: it writes with TensorFlow.
"""

import argparse
from pathlib import Path

import numpy as np
import tensorflow as tf

CLASSES = 10
VARIANTS = 64
SIZE = 96
FILES = 20


def main(arguments: list[str] | None = None) -> int:
    """Write the files `train-00000.tfrecord` and so on, and say how many records they hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--gigabytes", type=float, default=5.0)
    options = parser.parse_args(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    examples = [_example(label, variant) for label in range(CLASSES) for variant in range(VARIANTS)]
    mean = sum(map(len, examples)) / len(examples)
    records = int(options.gigabytes * 1e9 / mean / FILES)
    for number in range(FILES):
        order = np.random.default_rng(number).integers(len(examples), size=records)
        with tf.io.TFRecordWriter(str(options.folder / f"train-{number:05}.tfrecord")) as writer:
            for place in order:
                writer.write(examples[place])
    print(f"{FILES * records} images of {SIZE} x {SIZE} pixels in {FILES} files, {FILES * records * mean / 1e9:.1f} GB")
    return 0


def _example(label: int, variant: int) -> bytes:
    """A serialized image of a class."""
    noise = np.random.default_rng((label, variant)).normal(20.0 * (label + 1), 25.0, (SIZE, SIZE, 3))
    encoded = tf.io.encode_jpeg(np.clip(noise, 0, 255).astype(np.uint8), quality=90).numpy()
    features = {
        "image/encoded": tf.train.Feature(bytes_list=tf.train.BytesList(value=[encoded])),
        "image/class/label": tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
    }
    serialized: bytes = tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()
    return serialized


if __name__ == "__main__":
    raise SystemExit(main())
