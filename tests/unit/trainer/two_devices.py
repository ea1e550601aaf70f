"""Trains on two devices as on the chips of a TPU, and prints what became of it as JSON.

    python -m tests.unit.trainer.two_devices FOLDER DIGITS '[{"training": ...}, ...]'

A process of its own, because TensorFlow makes two devices of the processors only before it has used them.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import tensorflow as tf

from tests.unit.trainer.stages_alone import alone, easy_samples
from trainingrun_trainer import pipeline
from trainingrun_trainer.context import Context
from trainingrun_trainer.parallel.tpu import TpuGang
from trainingrun_trainer.stages.choose import choose
from trainingrun_trainer.stages.train import train


def main(folder: Path, digits: Path, specs: list[dict[str, Any]]) -> None:
    """Train each of these, the last one on the digits in a whole run."""
    processors = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(processors[0], [tf.config.LogicalDeviceConfiguration()] * 2)
    gang = TpuGang(tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"], cross_device_ops=tf.distribute.ReductionToOneDevice()))
    *small, whole = specs
    surroundings = alone(folder / "whole", environment={"TRAININGRUN_BUILTIN_DATA": str(digits)}, **whole).context
    histories = [trained(folder / str(number), gang, spec) for number, spec in enumerate(small)]
    result = pipeline.run(replace(surroundings, gang=gang))
    assert result is not None
    print(json.dumps({"histories": histories, "result": result.model_dump(mode="json")}))


def trained(folder: Path, gang: TpuGang, spec: dict[str, Any]) -> list[dict[str, float]]:
    """Metrics of each epoch on easy samples, images where there is augmentation."""
    samples = easy_samples(120, shape=(8, 8, 1)) if "augmentation" in spec else easy_samples(120)
    rank = alone(folder, **spec)
    network = rank.network(samples)
    context: Context = choose(replace(rank.context, gang=gang), network, samples.training)
    return train(context, network, samples).history


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3]))
