"""Where the time went, of this attempt and of what earlier ones have left to it."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from trainingrun.contract import Stage
from trainingrun_trainer.checkpoint import LoopState
from trainingrun_trainer.report.values import StageTime
from trainingrun_trainer.stages.reporting.finished import Finished
from trainingrun_trainer.tuning.events import Event

_NAMES = {Stage.STARTING: "Loading"}
"""What the trainer does before its first stage is to read the data and to build the network."""


def stage_times(finished: Finished) -> Iterator[StageTime]:
    """Wall-clock seconds of each stage of this attempt, and of the epochs and trials that earlier attempts have finished.

    What an attempt that died had begun and not finished is not known here: the ledger of the run counts it as lost.
    """
    attempt = finished.config.attempt
    seconds = dict(finished.seconds)
    courses = [(Stage.TRAINING, finished.state)]
    courses += [(training.stage, training.state) for training in finished.compressed.trainings]
    for stage, state in courses:
        seconds[stage] = seconds.get(stage, 0.0) + _epochs_before(attempt, state)
    seconds[Stage.TUNING] = seconds.get(Stage.TUNING, 0.0) + _trials_before(attempt, finished.search)
    for stage in Stage:
        if seconds.get(stage):
            yield StageTime(name=_NAMES.get(stage, stage), seconds=seconds[stage])


def _epochs_before(attempt: int, state: LoopState) -> float:
    return sum(float(note["seconds"]) for note in state.notes if note["attempt"] < attempt)


def _trials_before(attempt: int, search: Sequence[Event]) -> float:
    """Of each earlier attempt, the seconds from the start of its first trial to its last event: trials ran side by side.

    What it noted before is about trials that an attempt before it had lost.
    """
    began: dict[int, datetime] = {}
    last: dict[int, datetime] = {}
    for event in search:
        if event.attempt is None or event.attempt >= attempt or not event.time:
            continue
        moment = datetime.fromisoformat(event.time)
        if event.event == "started":
            began.setdefault(event.attempt, moment)
        last[event.attempt] = moment
    return sum((last[earlier] - start).total_seconds() for earlier, start in began.items())
