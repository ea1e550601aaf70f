"""The loop of training: epochs of steps, each epoch validated, checkpointed and judged for early stopping.

All ranks run the same lines and take the same decisions: metrics are summed over all ranks before anybody looks at them,
and whether to stop is itself a sum. The loop reads from top to bottom in `follow`.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainingrun.curves import Epoch
from trainingrun_trainer import checkpoint as checkpoints
from trainingrun_trainer import fence
from trainingrun_trainer.checkpoint import Checkpoint, LoopState, MadeWith
from trainingrun_trainer.context import Context
from trainingrun_trainer.data.feed import Split
from trainingrun_trainer.data.same import require_same_data
from trainingrun_trainer.data.shard import Shard, steps_per_epoch
from trainingrun_trainer.errors import interrupted
from trainingrun_trainer.keeping import Keeper
from trainingrun_trainer.parallel.guard import check_equal_weights
from trainingrun_trainer.parallel.statistics import average_statistics
from trainingrun_trainer.stages.calls import Call, CallLength, in_calls
from trainingrun_trainer.stages.course import Course
from trainingrun_trainer.stages.early_stopping import judge_epoch
from trainingrun_trainer.stages.evaluate import evaluation_steps, own_part
from trainingrun_trainer.stages.finite import require_number, require_numbers
from trainingrun_trainer.stages.journal import Journal
from trainingrun_trainer.stages.optimizers import Learner
from trainingrun_trainer.stages.plan import epoch_plan
from trainingrun_trainer.stages.rate import Rate
from trainingrun_trainer.stages.step import TrainingSteps, training_steps

Network = Any


def follow(course: Course, context: Context, network: Network, split: Split, *, optimizer: Learner) -> LoopState:
    """Train the network as the course says, going on from its newest checkpoint of the round; it ends with its best weights.

    Raises TrainerError: NotANumber, WeightsDiverged, OutputFailed, Superseded, or Interrupted after a checkpoint.
    """
    context = replace(context, config=context.config.model_copy(update={"training": course.training}))
    loop = _Loop.start(course, context, network, split, optimizer=optimizer)
    training, state = course.training, loop.state
    steps = training.epochs * loop.steps
    context.progress.stage(course.stage, epochs=training.epochs, steps=steps, epoch=state.epoch, step=loop.steps_done())
    context.progress.choices([loop.rate.choice])
    if context.is_chief:
        print(f"learning rate of {course.stage}: {loop.rate.choice.value}. {loop.rate.choice.reason}")
    loop.tell_again()
    journal = Journal(context, state, rates=loop.rate.rates, curves=course.curves)
    while state.epoch < training.epochs and not state.stopped:
        loop.run_epoch()
        metrics = loop.finish_epoch()
        if judge_epoch(state, training.early_stopping, metrics=metrics):
            loop.remember_best()
        journal.epoch_done(state)
        context.progress.epoch(state.epoch, metrics)
        if state.epoch % training.checkpoint.every_epochs == 0 or state.stopped or state.epoch == training.epochs:
            loop.save()
    journal.close(state)
    check_equal_weights(context.gang, network.trainable_variables, when=f"at the end of stage {course.stage}")
    loop.restore_best()
    return state


@dataclass
class _Loop:
    """The training loop's parts and its state."""

    course: Course
    rate: Rate
    context: Context
    network: Network
    optimizer: Learner
    split: Split
    run: TrainingSteps
    validation: Shard
    validate: Any
    state: LoopState
    best: list[Any]
    keeper: Keeper
    training_calls: CallLength
    validation_calls: CallLength
    is_checked: bool = False
    """Whether the ranks have been seen to train together."""

    @classmethod
    def start(cls, course: Course, context: Context, network: Network, split: Split, *, optimizer: Learner) -> "_Loop":
        """Build the graphs, and give all ranks the same start: rank 0's weights, or the newest checkpoint."""
        validation = own_part(context, split.validation)
        steps = steps_per_epoch(len(split.training), batch=context.step_samples, size=context.gang.size)
        loop = cls(
            course=course,
            rate=Rate(course.stage, course.field, course.rates(batches=context.step_batches, steps=steps), course.origin),
            context=context,
            network=network,
            optimizer=optimizer,
            split=split,
            run=training_steps(context, network, optimizer, split.training),
            validation=validation,
            validate=partial(evaluation_steps(network, split.validation), validation),
            state=LoopState(),
            best=[],
            keeper=Keeper(context.paths, course.states(context.paths), keep=course.training.checkpoint.keep),
            training_calls=CallLength(),
            validation_calls=CallLength(),
        )
        loop._restore()
        context.gang.broadcast([*network.variables, *optimizer.variables])
        return loop

    @property
    def steps(self) -> int:
        """Steps of one epoch."""
        return self.rate.rates.steps

    def _steps_of(self, samples: int) -> int:
        return steps_per_epoch(samples, batch=self.context.step_samples, size=self.context.gang.size)

    @property
    def _made_with(self) -> MadeWith:
        size = self.context.gang.size
        return MadeWith(data=self.split.sha256, ranks=size, step_samples=self.context.step_samples * size)

    def run_epoch(self) -> None:
        """Take the steps of the current epoch that are left."""
        context, state = self.context, self.state
        plan = epoch_plan(context, self.split.training, epoch=state.epoch, rates=self.rate.rates, skipped=state.skipped)
        run = partial(self.run, plan)
        for call in in_calls(context, run, self.split.training, plan.shard, first=state.step, length=self.training_calls):
            state.sums = [before + new for before, new in zip(state.sums, call.sums.tolist(), strict=True)]
            state.step = call.end
            self._look_around(call)
        average_statistics(context.gang, self.network)
        counts = context.gang.gather(np.array([float(plan.shard.samples)])).ravel()
        state.samples[state.epoch :] = [[int(count) for count in counts]]  # there already, if validation was interrupted

    def finish_epoch(self) -> dict[str, float]:
        """Metrics of the epoch, over the samples of all ranks; raises NotANumber when the loss is none."""
        state = self.state
        loss, correct, count = state.sums
        validated = self._validate()
        metrics = {
            "loss": loss / count,
            "accuracy": correct / count,
            "val_loss": float(validated[0] / validated[2]),
            "val_accuracy": float(validated[1] / validated[2]),
        }
        require_numbers(metrics, rate=self.rate, epoch=state.epoch + 1)
        state.epoch, state.skipped, state.step, state.sums = state.epoch + 1, 0, 0, [0.0, 0.0, 0.0]
        state.history.append(metrics)
        self._tell(state.epoch)
        return metrics

    def tell_again(self) -> None:
        """Repeat the lines of the epochs that earlier attempts have trained: their logs may have gone with their pods."""
        for number in range(1, self.state.epoch + 1):
            self._tell(number, is_repeated=True)

    def _tell(self, number: int, *, is_repeated: bool = False) -> None:
        if self.context.is_chief:
            metrics = self.state.history[number - 1]
            print(Epoch(number, self.course.stage, metrics, course=self.course.name, is_repeated=is_repeated).line())

    def save(self) -> None:
        """Write a checkpoint; only rank 0 does, and only while no newer attempt has begun. All ranks must call this."""
        average_statistics(self.context.gang, self.network)
        if not self.context.is_chief:
            return
        fence.require_newest(self.context.paths)
        self.keeper.save(
            Checkpoint(
                state=self.state,
                weights=self.network.get_weights(),
                optimizer=[variable.numpy() for variable in self.optimizer.variables],
                best=self.best,
                made_with=self._made_with,
            )
        )
        self.context.progress.checkpoint(stage=self.course.stage, epoch=self.state.epoch, step=self.steps_done())

    def remember_best(self) -> None:
        """Keep the current weights as the best so far."""
        self.best = self.network.get_weights()

    def restore_best(self) -> None:
        """Go back to the best weights."""
        self.network.set_weights(self.best)

    def _look_around(self, call: Call) -> None:
        """After some steps: see once that the ranks train together, report, and stop when any rank has been told to."""
        require_number(call, rate=self.rate, epoch=self.state.epoch + 1)
        if not self.is_checked:
            check_equal_weights(self.context.gang, self.network.trainable_variables, when="after the first steps")
            self.is_checked = True
        samples = self.context.step_samples * self.context.gang.size
        self.context.progress.step(step=self.steps_done(), samples=samples, epoch=self.state.epoch)
        self._stop_if_told(call)

    def _validate(self) -> NDArray[np.float64]:
        """Sums over the validation samples of all ranks: loss, correct answers, samples."""
        sums = np.zeros(3)
        part, feed = self.validation, self.split.validation
        for call in in_calls(self.context, self.validate, feed, part, first=0, length=self.validation_calls):
            sums += call.sums
            self.context.progress.part_done()
            self._stop_if_told(call)
        return sums

    def _stop_if_told(self, call: Call) -> None:
        if call.is_told:
            self.save()
            raise interrupted(f"Told to stop in epoch {self.state.epoch + 1}, step {self.state.step}; the state is saved.")

    def steps_done(self) -> int:
        """Of the whole course; samples that another gang has trained on count as this gang's steps would."""
        left = self._steps_of(len(self.split.training) - self.state.skipped)
        return (self.state.epoch + 1) * self.steps - left + self.state.step

    def _restore(self) -> None:
        """Load what rank 0 finds newest; all ranks get it from rank 0, whatever they see of the output."""
        context = self.context
        states = self.course.states(context.paths)
        found = checkpoints.newest(states, before=context.config.attempt) if context.is_chief else None
        arrays, note = found or (b"", b"")
        arrays, note = context.gang.broadcast_bytes(arrays), context.gang.broadcast_bytes(note)
        if not note:
            return
        restored = Checkpoint.decode(arrays, note)
        require_same_data(restored.made_with.data, now=self.split.sha256, where=states.uri)
        self.network.set_weights(restored.weights)
        for variable, value in zip(self.optimizer.variables, restored.optimizer, strict=True):
            variable.assign(value)
        self.state = restored.state_for(self._made_with, samples=len(self.split.training))
        self.best = restored.best
        context.progress.checkpoint(stage=self.course.stage, epoch=self.state.epoch, step=self.steps_done())
