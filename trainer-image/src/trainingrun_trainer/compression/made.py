"""What compression makes, as values."""

from dataclasses import dataclass, field

from trainingrun.contract import Stage
from trainingrun_trainer.artifacts.measurements import Measurements
from trainingrun_trainer.artifacts.predictions import Predictions
from trainingrun_trainer.checkpoint import LoopState
from trainingrun_trainer.compression.pruned import Pruned

TFLITE = ".tflite"


@dataclass(frozen=True)
class Made:
    """A TFLite model that was made on the way to the last one, or the last one of its way."""

    name: str
    tflite: bytes
    measured: Measurements
    predictions: Predictions
    """On the samples that it was measured on."""
    is_final: bool
    """Whether nothing follows: these models are judged by `spec.acceptance`."""
    pruned: Pruned | None = None
    """How it was pruned, if it was."""

    @property
    def file(self) -> str:
        """Name of its file."""
        return self.name + TFLITE


@dataclass(frozen=True)
class FineTuning:
    """The epochs of one fine-tuning."""

    name: str
    stage: Stage
    state: LoopState


@dataclass
class Compressed:
    """What compression has made; the models are on rank 0 only."""

    models: list[Made] = field(default_factory=list)
    trainings: list[FineTuning] = field(default_factory=list)

    @property
    def finals(self) -> list[Made]:
        """The models that are judged."""
        return [model for model in self.models if model.is_final]
