"""The stage that quantizes: the network as a TFLite model with fewer bits per number."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from trainingrun.api import Quantization, QuantizationMode
from trainingrun.contract import Stage
from trainingrun_trainer.checkpoint import LoopState
from trainingrun_trainer.compression.calibration import Calibration
from trainingrun_trainer.compression.convert import INTEGER, to_tflite
from trainingrun_trainer.compression.zeros import ZerosKept
from trainingrun_trainer.context import Context
from trainingrun_trainer.data.feed import Split
from trainingrun_trainer.stages.course import Course
from trainingrun_trainer.stages.look_around import Seldom, look_around
from trainingrun_trainer.stages.loop import follow
from trainingrun_trainer.stages.optimizers import Optimizer

Network = Any


@dataclass(frozen=True)
class Quantized:
    """A TFLite model, and the course of the fine-tuning that it took, if any."""

    tflite: bytes
    """Empty on all ranks but rank 0, which converts."""
    state: LoopState | None


def quantize(context: Context, network: Network, split: Split, *, name: str) -> Quantized:
    """The network as a TFLite model, in the mode of `spec.compression.quantization`, or of floats without one.

    All ranks must call this: with Int8Aware they fine-tune a copy of the network first, in which pruned weights stay zero.
    `name` tells the files of that from those of other networks of the run. The network itself is left as it is.
    Raises TrainerError: BadConfig when the network cannot be converted, Interrupted, and what training raises.
    """
    compression = context.config.compression
    quantization = compression.quantization if compression is not None else None
    mode = quantization.mode if quantization is not None else None
    state = None
    if quantization is not None and mode is QuantizationMode.INT8_AWARE:
        network, state = _fine_tuned(context, network, split, quantization, name=name)
    context.progress.stage(Stage.QUANTIZING)
    if not context.is_chief:
        return Quantized(b"", state)
    calibration = None
    if quantization is not None and mode in INTEGER:
        seed = context.config.training.seed
        calibration = Calibration(split.training, count=quantization.calibration_samples, seed=seed)
        print(f"ranges of {name}'s numbers from {len(calibration)} training samples")
    shape, normalization = split.training.shape, split.training.normalization
    tflite = to_tflite(
        network,
        shape=shape,
        normalization=normalization,
        mode=mode,
        calibration=calibration,
        report=Seldom(partial(look_around, context)),
    )
    context.progress.part_done()
    return Quantized(tflite, state)


def _fine_tuned(
    context: Context, network: Network, split: Split, quantization: Quantization, *, name: str
) -> tuple[Network, LoopState]:
    """A copy that has learnt to compute in eight bits."""
    from trainingrun_trainer.compression.aware import aware_of_quantization  # loads tfmot, which takes seconds

    course = Course.of_quantization(context.config.training, quantization, name=name)
    aware = aware_of_quantization(network)
    weights = aware.trainable_variables
    optimizer = ZerosKept(Optimizer(course.training.optimizer, weights), weights)
    return aware, follow(course, context, aware, split, optimizer=optimizer)
