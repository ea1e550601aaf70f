"""The stage that turns `Auto` into numbers: all ranks measure together, and rank 0's clock decides."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainingrun.api import AUTO, Scaling, Training, number
from trainingrun.contract import Stage
from trainingrun_trainer.choosing import batch_size, learning_rate
from trainingrun_trainer.choosing.found import BATCH_SIZE, LEARNING_RATE, Found, Note
from trainingrun_trainer.choosing.note import recall, write_down
from trainingrun_trainer.context import Context
from trainingrun_trainer.data.feed import Feed
from trainingrun_trainer.data.shard import epoch_order, shard, steps_per_epoch
from trainingrun_trainer.errors import interrupted
from trainingrun_trainer.stages.calls import Call, CallLength, in_calls
from trainingrun_trainer.stages.network import on_devices
from trainingrun_trainer.stages.optimizers import Optimizer
from trainingrun_trainer.stages.plan import EpochPlan
from trainingrun_trainer.stages.schedule import factor
from trainingrun_trainer.stages.step import TrainingSteps, training_steps

Network = Any

MEASURED_SECONDS = 0.4
"""Of steps at each batch size, beside the first call, which warms up."""


def choose(context: Context, network: Network, feed: Feed) -> Context:
    """The context with numbers in place of `Auto`; the network is left as it was.

    What an earlier attempt of the round has found stays. Raises TrainerError: OutputFailed, NotANumber or Interrupted.
    """
    training = context.config.training
    if AUTO not in (training.batch_size, training.optimizer.learning_rate):
        return context
    context.progress.stage(Stage.CHOOSING)
    with on_devices(context, network, feed) as placed:
        context, note = _measured(context, placed, feed)
    write_down(context, note)
    context.progress.choices([found.choice for found in (*context.found, *note.found)])
    if context.is_chief:
        for found in note.found:
            print(f"{found.name} Auto: {found.value}. {found.reason}")
    return replace(context, found=(*context.found, *note.found))


def _measured(context: Context, network: Network, feed: Feed) -> tuple[Context, Note]:
    """The context with numbers, and what they follow from."""
    training = context.config.training
    note, before = recall(context), network.get_weights()
    if training.batch_size == AUTO:
        if note.get(BATCH_SIZE) is None:
            note = note.adding(_Probe.of(context, network, feed, note).batch_size(lost=note.trying))
        context = _with(context, note.get(BATCH_SIZE), feed=feed)
    if training.optimizer.learning_rate == AUTO:
        if note.get(LEARNING_RATE) is None:
            note = note.adding(_Probe.of(context, network, feed, note).learning_rate())
        context = _with(context, note.get(LEARNING_RATE), feed=feed)
    network.set_weights(before)
    return context, note


def _with(context: Context, found: Found | None, *, feed: Feed) -> Context:
    assert found is not None, "it has just been found"
    training = _trained_with(context, found, samples=len(feed))
    return replace(context, config=context.config.model_copy(update={"training": training}))


def _trained_with(context: Context, found: Found, *, samples: int) -> Training:
    training = context.config.training
    if found.name == BATCH_SIZE:
        return training.model_copy(update={"batch_size": int(found.value)})
    # Measured on the whole gang, whose batches are one: there is nothing left to scale. A trial has one rank's batch only, and
    # gets the rate that becomes what was measured when it is scaled.
    rate, schedule = found.value, training.schedule
    if context.config.tuning is None:
        schedule = schedule.model_copy(update={"scaling": Scaling.NONE})
    else:
        steps = steps_per_epoch(samples, batch=context.step_samples, size=context.gang.size)
        rate = f"{number(rate) / factor(training, batches=context.step_batches, steps=steps):.6g}"
    optimizer = training.optimizer.model_copy(update={"learning_rate": number(rate)})
    return training.model_copy(update={"optimizer": optimizer, "schedule": schedule})


@dataclass(frozen=True)
class _Probe:
    """Steps that measure something, on samples in the order of the first epochs."""

    context: Context
    feed: Feed
    run: TrainingSteps
    note: Note
    """What an attempt that is told to stop leaves: nothing that it was trying, for that has not killed it."""

    @classmethod
    def of(cls, context: Context, network: Network, feed: Feed, note: Note) -> "_Probe":
        """With an optimizer of its own."""
        optimizer = Optimizer(context.config.training.optimizer, network.trainable_variables)
        return cls(context, feed, training_steps(context, network, optimizer, feed), replace(note, trying=None))

    def batch_size(self, *, lost: int | None) -> Found:
        """Measure one size after the other; `lost` is one that an attempt did not survive."""
        context, note = self.context, self.note
        return batch_size.search(
            self.speed,
            limit=batch_size.largest(len(self.feed), batches=self.context.step_batches),
            measured=note.measured,
            lost=lost,
            note=lambda size, rows: write_down(context, replace(note, trying=size, measured=tuple(rows))),
        )

    def speed(self, batch: int) -> float:
        """Samples per second of all ranks in the best call: another program's burst must not decide."""
        steps = -(-len(self.feed) // (batch * self.context.step_batches))
        seconds, best = 0.0, 0.0
        for index, call in enumerate(self._calls(batch, rates=np.zeros(steps, np.float32), length=CallLength())):
            speed = float(call.sums[2] / call.seconds)
            if index == 0:
                best = 0.0 if steps > call.steps else speed  # it warms up, and counts only where there is no other
                continue
            seconds, best = seconds + call.seconds, max(best, speed)
            if seconds > MEASURED_SECONDS:
                break
        return best

    def learning_rate(self) -> Found:
        """Take the steps of the range test until the loss explodes."""
        losses: list[float] = []
        for call in self._calls(self.context.batch_size, rates=learning_rate.ramp(), length=CallLength(most=1)):
            losses.append(float(call.sums[0] / call.sums[2]))
            if learning_rate.has_exploded(losses):
                break
        return learning_rate.conclude(losses)

    def _calls(self, batch: int, *, rates: NDArray[np.float32], length: CallLength) -> Iterator[Call]:
        """A step for each rate."""
        context, gang = self.context, self.context.gang
        samples = len(rates) * batch * self.context.step_batches
        epochs = range(-(-samples // len(self.feed)))
        seed = context.config.training.seed
        order = np.concatenate([epoch_order(len(self.feed), seed=seed, epoch=epoch) for epoch in epochs])[:samples]
        taken = batch * context.config.backward_passes_per_step * gang.devices
        part = shard(len(order), batch=taken, rank=gang.rank, size=gang.size, order=order)
        plan = EpochPlan(part, learning_rates=rates, key=gang.rank, before=0)
        for call in in_calls(context, partial(self.run, plan), self.feed, part, first=0, length=length):
            context.progress.part_done()
            if call.is_told:
                write_down(context, self.note)
                raise interrupted("Told to stop while choosing what is Auto; the next attempt begins with that again.")
            yield call
