"""The stages of a run in the order in which it goes through them, and how much of its work each is.

Pure: it follows from the spec alone. Work is counted in epochs of training by the whole gang, because that is what a spec says
most about. What no field says has a default here; none of them decides anything but what people are shown.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from trainingrun.api.base import AUTO
from trainingrun.api.compression import Compression, QuantizationMode
from trainingrun.api.spec import TrainingRunSpec
from trainingrun.api.tuning import ASHA_REDUCTION, Scheduler, Tuning
from trainingrun.contract import Stage

UNCOUNTED = 0.5
"""Of work that has no epochs: values that are Auto, a model that is converted or measured, the evaluation, the publication."""
AWARE = 1.5
"""Of an epoch of fine-tuning with Int8Aware, in which every weight and activation is rounded as well."""


@dataclass(frozen=True)
class Part:
    """A piece of a run's work that has a beginning and an end."""

    stage: Stage | None
    """The stage that reports name while it is done; None for what is done in silence, after the last step of a stage."""
    work: float
    """In epochs of training by the whole gang, more than 0."""
    epochs: int = 0
    """Of the stage, at most; 0 for a part that has none."""


def stages_of(spec: TrainingRunSpec) -> tuple[Stage, ...]:
    """The stages of the trainer, each once, in the order in which they first come."""
    return tuple(dict.fromkeys(part.stage for part in parts_of(spec) if part.stage is not None))


def parts_of(spec: TrainingRunSpec, *, trials: int | None = None) -> tuple[Part, ...]:
    """All of a run's work, in its order. `trials` are those of the search, once it has said how many there are."""
    return tuple(_parts(spec, trials))


def _parts(spec: TrainingRunSpec, trials: int | None) -> Iterator[Part]:
    training = spec.training
    if AUTO in (training.batch_size, training.optimizer.learning_rate):
        yield Part(Stage.CHOOSING, UNCOUNTED)
    if spec.tuning is not None:
        yield Part(Stage.TUNING, _search(spec.tuning, trials=trials, ranks=spec.workers.world_size))
    yield Part(Stage.TRAINING, float(training.epochs), training.epochs)
    if spec.compression is not None:
        yield from _smaller(spec.compression)
    yield Part(Stage.EVALUATING, UNCOUNTED)
    yield Part(None, UNCOUNTED)


def _smaller(compression: Compression) -> Iterator[Part]:
    """Each sparsity is a way of its own: pruned, measured, quantized and measured before the next begins."""
    yield Part(None, UNCOUNTED)
    pruning = compression.pruning
    for _ in pruning.final_sparsities if pruning is not None else ("dense",):
        if pruning is not None:
            yield Part(Stage.PRUNING, float(pruning.epochs), pruning.epochs)
            yield Part(None, UNCOUNTED)
        quantization = compression.quantization
        if quantization is None:
            continue
        if quantization.mode is QuantizationMode.INT8_AWARE:
            yield Part(Stage.QUANTIZING, AWARE * quantization.epochs, quantization.epochs)
        yield Part(Stage.QUANTIZING, UNCOUNTED)


def _search(tuning: Tuning, *, trials: int | None, ranks: int) -> float:
    """Work of all trials. A rank alone takes longer for an epoch, by the number of ranks, and all run trials at once."""
    count = min(max(1, trials), tuning.trials) if trials is not None else tuning.trials
    return max(count, ranks) * _epochs_of_a_trial(tuning)


def _epochs_of_a_trial(tuning: Tuning) -> float:
    """How many epochs a trial takes on average, when ASHA ends as many early as it means to."""
    if tuning.scheduler is Scheduler.NONE:
        return float(tuning.epochs_per_trial)
    epochs, share, begun, rung = 0.0, 1.0, 0, 1
    while begun < tuning.epochs_per_trial:
        end = min(rung, tuning.epochs_per_trial)
        epochs += share * (end - begun)
        begun, share, rung = end, share / ASHA_REDUCTION, rung * ASHA_REDUCTION
    return epochs
