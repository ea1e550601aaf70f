"""What a TFLite model answers to the test samples: run in a container of its own, and not with the trainer's runtime.

Arguments: the folder of a run, the name of one of its models. Prints the part of right answers with four digits.
"""

import gzip
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainingrun.api import number
from trainingrun.contract import AttemptConfig
from trainingrun_trainer.data.parts import Fractions, part
from trainingrun_trainer.settings import BUILTIN_DATA

DIGITS = Path(BUILTIN_DATA) / "mnist-10k"


def main(run: Path, name: str) -> None:
    """Print the accuracy of one model of a run on MNIST."""
    config = AttemptConfig.model_validate(json.loads((run / "result.json").read_text())["config"])
    images = read(DIGITS / "t10k-images-idx3-ubyte.gz", header=16).reshape(-1, 28, 28, 1)
    labels = read(DIGITS / "t10k-labels-idx1-ubyte.gz", header=8)
    test = part(
        labels.astype(np.int64),
        Fractions(validation=number(config.data.validation_fraction), test=number(config.data.test_fraction)),
        seed=config.training.seed,
    ).test
    interpreter = tf.lite.Interpreter(model_path=str(run / f"{name}.tflite"))
    interpreter.allocate_tensors()
    right = [answer(interpreter, images[position]) == labels[position] for position in test]
    print(f"{np.mean(right):.4f}")


def answer(interpreter: Any, image: NDArray[np.uint8]) -> int:
    """The class of a raw image, by a model that takes integers or floats."""
    given, asked = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    scale, zero = given["quantization"]
    values = np.round(image / scale) + zero if scale else image
    interpreter.set_tensor(given["index"], values[np.newaxis].astype(given["dtype"]).reshape(given["shape"]))
    interpreter.invoke()
    return int(interpreter.get_tensor(asked["index"]).argmax())


def read(file: Path, *, header: int) -> NDArray[np.uint8]:
    """The values of an IDX file of bytes."""
    return np.frombuffer(gzip.decompress(file.read_bytes())[header:], dtype=np.uint8)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
