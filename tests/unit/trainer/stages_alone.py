"""Stages in this process, on one rank alone, with every report written down."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tf_keras

from tests.unit.trainer.starting import a_config
from trainingrun.contract import AttemptConfig, ProgressReport
from trainingrun_trainer.context import Context
from trainingrun_trainer.data.dataset import dataset
from trainingrun_trainer.data.feed import InMemory, Split
from trainingrun_trainer.data.parts import Fractions, part
from trainingrun_trainer.data.source import About
from trainingrun_trainer.messages import Message, Reporter
from trainingrun_trainer.models.networks import build
from trainingrun_trainer.output.place import Place
from trainingrun_trainer.output.volume import VolumePlace
from trainingrun_trainer.parallel.single import SingleProcess
from trainingrun_trainer.patience import Patience
from trainingrun_trainer.progress import Progress
from trainingrun_trainer.settings import OutputPaths, Settings

tf_keras.backend.experimental.enable_tf_random_generator()  # as a rank does


ABOUT = About(sha256="0", class_names=(), is_streamed=False)
"""Of easy samples."""


class Notes(Reporter):
    """Keeps the reports instead of sending them."""

    def __init__(self) -> None:
        super().__init__(None)
        self.reports: list[ProgressReport] = []

    def send(self, message: Message) -> None:
        """Keep it."""
        if message.progress is not None:
            self.reports.append(message.progress)


class Interruption:
    """Says at the given look, counted from 1, and ever after, that the rank has been told to stop."""

    def __init__(self, look: int) -> None:
        self._left = look

    def __call__(self) -> bool:
        self._left -= 1
        return self._left <= 0


@dataclass
class Alone:
    """One rank alone: its surroundings, a small network and easy samples."""

    config: AttemptConfig
    output: Path
    is_interrupted: Callable[[], bool] = lambda: False
    notes: Notes = field(default_factory=Notes)
    root: Place | None = None
    """Where it writes, if not to the folder `output`."""
    environment: Mapping[str, str] = field(default_factory=dict)
    patience: Patience = field(default_factory=Patience)
    """With its data; `root` has one of its own."""

    @property
    def paths(self) -> OutputPaths:
        """Where it writes."""
        return OutputPaths(root=self.root or VolumePlace(self.output, "pvc://models"), config=self.config)

    @property
    def context(self) -> Context:
        """What its stages get."""
        return Context(
            config=self.config,
            settings=Settings.from_environment({"TRAININGRUN_OUTPUT_MOUNT": str(self.output), **self.environment}),
            paths=self.paths,
            gang=SingleProcess(),
            progress=Progress(self.notes, attempt=self.config.attempt, speaks=True),
            patience=self.patience,
            is_interrupted=self.is_interrupted,
        )

    def network(self, parts: Split) -> Any:
        """The network of the configuration, with its first weights."""
        return build(self.config.model, shape=parts.training.shape, classes=parts.training.classes, seed=1)


def alone(
    output: Path,
    *,
    is_interrupted: Callable[[], bool] = lambda: False,
    environment: Mapping[str, str] | None = None,
    **spec: Any,
) -> Alone:
    """A rank alone whose attempt is configured as in `a_config`."""
    return Alone(config=a_config(**spec), output=output, is_interrupted=is_interrupted, environment=environment or {})


def easy_samples(count: int = 120, *, shape: tuple[int, ...] = (6,)) -> Split:
    """Two classes that are easy to tell apart; a quarter for validation and a quarter for test."""
    labels = np.arange(count) % 2
    means = labels.reshape(-1, *(1 for _ in shape))
    inputs = np.random.default_rng(1).normal(means, 0.3, (count, *shape)).astype(np.float32)
    parts = part(labels, Fractions(validation=0.25, test=0.25), seed=1)
    return Split(*(InMemory(dataset(inputs, labels, where="here").take(positions)) for positions in parts))
