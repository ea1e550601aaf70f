"""When training has stopped paying. Pure: metrics are averaged over all ranks, so all decide alike."""

from trainingrun.api import EarlyStopping, StoppingMetric
from trainingrun_trainer.checkpoint import LoopState


def judge_epoch(state: LoopState, settings: EarlyStopping | None, *, metrics: dict[str, float]) -> bool:
    """Note the metrics of a finished epoch in the state; returns whether its weights are the best so far.

    Sets `state.stopped` when the metric has not improved for `patience` epochs. Without settings every epoch is the best.
    """
    if settings is None:
        state.best_epoch = state.epoch
        return True
    value = metrics[settings.metric.value]
    delta = settings.minimum_delta
    lower = settings.metric is StoppingMetric.VALIDATION_LOSS
    improved = state.best is None or (value < state.best - delta if lower else value > state.best + delta)
    if improved:
        state.best, state.best_epoch, state.waited = value, state.epoch, 0
    else:
        state.waited += 1
        state.stopped = state.waited >= settings.patience
    return improved
