"""The stage that turns `Auto` into numbers: all ranks measure together, and rank 0's clock decides."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainingrun.api import AUTO, Scaling, Training
from trainingrun.contract import Stage
from trainingrun_trainer.choosing import batch_size, learning_rate
from trainingrun_trainer.choosing.found import BATCH_SIZE, LEARNING_RATE, Found, Note
from trainingrun_trainer.choosing.note import recall, write_down
from trainingrun_trainer.context import Context
from trainingrun_trainer.data.feed import Feed
from trainingrun_trainer.data.shard import epoch_order, shard
from trainingrun_trainer.errors import interrupted
from trainingrun_trainer.stages.calls import Call, CallLength, in_calls
from trainingrun_trainer.stages.optimizers import Optimizer
from trainingrun_trainer.stages.plan import EpochPlan
from trainingrun_trainer.stages.step import training_steps

Network = Any

MEASURED_SECONDS = 0.4
"""Of steps at each batch size, beside the first call, which warms up."""


def choose(context: Context, network: Network, feed: Feed) -> Context:
    """The context with numbers in place of `Auto`; the network is left as it was.

    What an earlier attempt of the round has found stays. Raises TrainerError: OutputFailed, or Interrupted.
    """
    training = context.config.training
    if AUTO not in (training.batch_size, training.optimizer.learning_rate):
        return context
    context.progress.stage(Stage.CHOOSING)
    note, before = recall(context), network.get_weights()
    if training.batch_size == AUTO:
        note = note if note.get(BATCH_SIZE) else note.adding(_batch_size(context, network, feed, note))
        context = _with(context, note.get(BATCH_SIZE))
    if training.optimizer.learning_rate == AUTO:
        note = note if note.get(LEARNING_RATE) else note.adding(_learning_rate(context, network, feed))
        context = _with(context, note.get(LEARNING_RATE))
    write_down(context, note)
    network.set_weights(before)
    context.progress.choices([found.choice for found in note.found])
    if context.is_chief:
        for found in note.found:
            print(f"{found.name} Auto: {found.value}. {found.reason}")
    return replace(context, found=note.found)


def _with(context: Context, found: Found | None) -> Context:
    assert found is not None, "it has just been found"
    training = context.config.training
    return replace(context, config=context.config.model_copy(update={"training": _trained_with(training, found)}))


def _trained_with(training: Training, found: Found) -> Training:
    if found.name == BATCH_SIZE:
        return training.model_copy(update={"batch_size": int(found.value)})
    # Measured on the whole gang, whose batches are one: there is nothing left to scale.
    return training.model_copy(
        update={
            "optimizer": training.optimizer.model_copy(update={"learning_rate": found.value}),
            "schedule": training.schedule.model_copy(update={"scaling": Scaling.NONE}),
        }
    )


def _batch_size(context: Context, network: Network, feed: Feed, note: Note) -> Found:
    run = training_steps(context, network, Optimizer(context.config.training.optimizer, network.trainable_variables), feed)
    batches = context.gang.size * context.config.backward_passes_per_step

    def measure(size: int) -> float:
        """Samples per second of all ranks in the best call: another program's burst must not decide."""
        steps, seconds, best = 0, 0.0, 0.0
        for call in _calls(context, run, feed, batch=size, rates=None, length=CallLength()):
            if steps > 0:
                seconds += call.seconds
                best = max(best, call.sums[2] / call.seconds)
            steps += call.steps
            if seconds > MEASURED_SECONDS:
                break
        return best or call.sums[2] / call.seconds

    return batch_size.search(
        measure,
        limit=batch_size.largest(len(feed), batches=batches),
        measured=note.measured,
        lost=note.trying,
        note=lambda size, rows: write_down(context, replace(note, trying=size, measured=tuple(rows))),
    )


def _learning_rate(context: Context, network: Network, feed: Feed) -> Found:
    optimizer = Optimizer(context.config.training.optimizer, network.trainable_variables)
    run = training_steps(context, network, optimizer, feed)
    losses: list[float] = []
    calls = _calls(context, run, feed, batch=context.batch_size, rates=learning_rate.ramp(), length=CallLength(most=1))
    for call in calls:
        losses.append(float(call.sums[0] / call.sums[2]))
        if learning_rate.has_exploded(losses):
            break
    return learning_rate.conclude(losses)


def _calls(
    context: Context, run: Any, feed: Feed, *, batch: int, rates: NDArray[np.float32] | None, length: CallLength
) -> Iterator[Call]:
    """Steps on samples in the order of the first epochs: as many as there are rates, else an epoch of steps with the rate 0."""
    training, gang = context.config.training, context.gang
    taken = batch * context.config.backward_passes_per_step
    steps = len(rates) if rates is not None else -(-len(feed) // (taken * gang.size))
    epochs = -(-steps * taken * gang.size // len(feed))
    orders: Sequence[Any] = [epoch_order(len(feed), seed=training.seed, epoch=epoch) for epoch in range(epochs)]
    order = np.concatenate(orders)[: steps * taken * gang.size]
    part = shard(len(order), batch=taken, rank=gang.rank, size=gang.size, order=order)
    plan = EpochPlan(part, learning_rates=np.zeros(steps, np.float32) if rates is None else rates, key=gang.rank, before=0)
    for call in in_calls(context, partial(run, plan), feed, part, first=0, length=length):
        context.progress.part_done()
        if call.is_told:
            raise interrupted("Told to stop while choosing what is Auto; the next attempt begins with that again.")
        yield call
