"""What a run knows when it has published its model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from trainingrun.api import Result
from trainingrun.contract import AttemptConfig, Stage
from trainingrun_trainer.acceptance import Judgement
from trainingrun_trainer.artifacts.predictions import Predictions
from trainingrun_trainer.checkpoint import LoopState
from trainingrun_trainer.choosing.found import Found
from trainingrun_trainer.compression.made import Compressed
from trainingrun_trainer.data.left_out import LeftOut
from trainingrun_trainer.tuning.events import Event


@dataclass(frozen=True, kw_only=True)
class Finished:
    """All that the report is made of, but its pictures."""

    config: AttemptConfig
    """With the numbers that `Auto` has become."""
    found: tuple[Found, ...]
    state: LoopState
    result: Result
    """Its first artifact is the float model."""
    metrics: Mapping[str, float]
    predictions: Predictions
    """Of the float model, on the samples that models are judged on."""
    compressed: Compressed
    judgement: Judgement
    search: Sequence[Event]
    """What has happened in the search, if there was one."""
    samples: Mapping[str, int]
    """Samples of each part: training, validation, test."""
    class_names: tuple[str, ...]
    classes: int
    data_sha256: str
    left_out: tuple[LeftOut, ...] = ()
    """What lies among the data and was no sample."""
    seconds: Mapping[Stage, float]
    """Wall-clock seconds of each stage of this attempt."""
    versions: Mapping[str, str]
    """Of packages."""
    at: datetime

    @property
    def shown(self) -> tuple[str, Predictions]:
        """The model whose answers are shown: the smallest that is accepted, else the float model."""
        best = self.result.best
        made = {model.name: model.predictions for model in self.compressed.models}
        name = best.name if best is not None else self.result.artifacts[0].name
        return name, made.get(name, self.predictions)
