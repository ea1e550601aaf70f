"""The course of training, and of each fine-tuning, of which the last epoch is kept."""

from collections.abc import Iterator, Mapping

from trainingrun_trainer.checkpoint import LoopState
from trainingrun_trainer.report.values import StageCurve
from trainingrun_trainer.stages.reporting.finished import Finished


def curves(finished: Finished) -> Iterator[StageCurve]:
    """One for each course, in the order in which they were trained."""
    yield _curve("training", finished.state)
    yield from (_curve(training.name, training.state) for training in finished.compressed.trainings)


def _curve(name: str, state: LoopState) -> StageCurve:
    epochs = tuple({**history, **_beside(note)} for note, history in _epochs(state))
    return StageCurve(name=name, epochs=epochs, kept=state.best_epoch or None)


def _epochs(state: LoopState) -> Iterator[tuple[Mapping[str, object], Mapping[str, float]]]:
    """The note of each finished epoch, an empty one where there is none, and its metrics."""
    notes = {note["epoch"]: note for note in state.notes}
    return ((notes.get(number, {}), history) for number, history in enumerate(state.history, start=1))


def _beside(note: Mapping[str, object]) -> dict[str, float]:
    """What is worth a curve beside the metrics."""
    values = {name: note.get(name) for name in ("learningRate", "samplesPerSecond")}
    return {name: float(value) for name, value in values.items() if isinstance(value, int | float)}
