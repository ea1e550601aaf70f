"""What a run knows when all its models are made."""

from dataclasses import dataclass

from trainingrun_trainer.artifacts.predictions import Predictions
from trainingrun_trainer.checkpoint import LoopState
from trainingrun_trainer.compression.made import Compressed
from trainingrun_trainer.data.source import About


@dataclass(frozen=True)
class Ending:
    """The trained network, its smaller models, and how they came to be."""

    about: About
    state: LoopState
    metrics: dict[str, float]
    predictions: Predictions
    """Of the network, on the samples that models are judged on."""
    compressed: Compressed
    started: float
    """Monotonic time in seconds."""
