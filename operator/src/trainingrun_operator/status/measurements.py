"""What the status takes from pods and from the trainer: moments of the start, checkpoint, search, progress."""

from collections.abc import Iterable
from datetime import datetime

from trainingrun.api import (
    Checkpoint,
    CheckpointPosition,
    Choice,
    Progress,
    Timeline,
    TrainerRecord,
    TrainingRunStatus,
    TuningRecord,
    TuningStatus,
)
from trainingrun.api.base import to_wire
from trainingrun.contract import FinalRecord, ProgressReport, Stage, StartMoments
from trainingrun_operator.bounds import fit
from trainingrun_operator.changes import changed
from trainingrun_operator.life import Life
from trainingrun_operator.pace import Pace
from trainingrun_operator.status.whole_run import Safe, whole_run

_ORDER = {stage.value: number for number, stage in enumerate(Stage)}
_MOST_CHOICES = 8
"""As many as status.choices takes; a trainer may send any number."""


def timeline(life: Life, status: TrainingRunStatus) -> Timeline | None:
    """Moments of the attempt's start; one that is known stays. None instead of an empty object, as the port asks.

    An attempt that is held starts anew when it is let go.
    """
    known, resolved = status.timeline or Timeline(), life.status.resolved
    if life.queue.is_held:
        known = Timeline(created=known.created)
    pods, moments = life.gang.pods, _moments(life)
    complete = resolved is not None and len(pods) >= resolved.replicas
    made = Timeline(
        created=known.created or (life.children.job.created if life.children.job is not None else None),
        scheduled=known.scheduled or (_last(pod.scheduled for pod in pods) if complete else None),
        container_started=known.container_started or (_last(pod.started for pod in pods) if complete else None),
        rendezvous_done=known.rendezvous_done or _told(life, moments.rendezvous_done),
        tensorflow_ready=known.tensorflow_ready or _told(life, moments.tensorflow_ready),
        first_step=known.first_step or _told(life, moments.first_step),
    )
    return made if made != Timeline() else None


def checkpoint(life: Life, status: TrainingRunStatus) -> Checkpoint | None:
    """The newest checkpoint that anybody has reported, and the attempt that wrote it."""
    newest = status.checkpoint
    for position, moment in _positions(life):
        if newest is None or _reach(position) > _reach(newest):
            newest = Checkpoint(
                attempt=life.attempt, stage=position.stage, epoch=position.epoch, step=position.step, written_at=moment
            )
    return newest


def tuning(life: Life, status: TrainingRunStatus) -> TuningRecord | None:
    """The search as it was reported last, and the attempt and moment that its newest trial that counts ended in."""
    known = status.tuning
    for found, moment in _searches(life):
        if known is None or found.lasting > known.lasting:
            known = _recorded(found, attempt=life.attempt if found.lasting else 0, moment=moment if found.lasting else None)
        elif found.lasting == known.lasting:
            known = _recorded(found, attempt=known.attempt, moment=known.recorded_at)
    return known


def trainer(life: Life, status: TrainingRunStatus) -> TrainerRecord | None:
    """What the attempt's image speaks, once it has said something; what an earlier one said until then."""
    report = life.reports.last
    said = [report.contract_version] if report is not None else [record.contract_version for record, _ in _records(life)]
    if not said or life.status.resolved is None:
        return status.trainer
    return TrainerRecord(image=life.status.resolved.image, contract_version=said[0])


def has_progressed(life: Life) -> bool:
    """Whether the current attempt has left something that the next one need not do again: a checkpoint, or a trial."""
    newest, search = checkpoint(life, life.status), tuning(life, life.status)
    return life.attempt in [found.attempt for found in (newest, search) if found is not None]


def choices(life: Life, status: TrainingRunStatus) -> tuple[Choice, ...]:
    """What the trainer has found for values that are Auto; what is known stays until the next round."""
    report = life.reports.last
    reported = [report.choices] if report is not None else []
    recorded = [record.choices for record, _ in _records(life)]
    return next((found[:_MOST_CHOICES] for found in (*reported, *recorded) if found), status.choices)


def progress(life: Life, status: TrainingRunStatus) -> Progress | None:
    """The trainer's progress, or what is known already when it is too early to write again."""
    report = life.reports.last
    if report is None:
        return status.progress
    old = life.status.progress
    new = _progress(life, report, known=old)
    if old is None or old.updated_at is None or new.updated_at is None or old.stage != new.stage:
        return new
    first_step = report.moments.first_step is not None and not _has_first_step(life.status)
    return new if first_step or _is_another_time(old.updated_at, new.updated_at, pace=life.pace) else old


def _progress(life: Life, report: ProgressReport, *, known: Progress | None) -> Progress:
    """A report that is about a stage, as progress of the whole run."""
    of_stage = fit(Progress, to_wire(report))
    assert of_stage is not None, "a report has all that progress needs"
    whole = whole_run(life.run.spec, report, known=known, safe=Safe(life.status.checkpoint, life.status.tuning))
    return changed(
        of_stage,
        updated_at=_told(life, report.updated_at),
        percent=whole.percent,
        eta_seconds=whole.eta_seconds,
        stage_percent=of_stage.percent,
        stage_eta_seconds=of_stage.eta_seconds,
        epoch_milliseconds=whole.epoch_milliseconds,
    )


def is_worth_a_look(old: ProgressReport | None, new: ProgressReport, *, looked: datetime, pace: Pace) -> bool:
    """Whether a new report may change the status, so that the run should be looked at.

    `looked` is the moment of the report that was last looked at.
    """
    if old is None or old.attempt != new.attempt or old.stage != new.stage:
        return True
    if old.moments != new.moments:
        return True
    return _is_another_time(looked, new.updated_at, pace=pace)


def _is_another_time(old: datetime, new: datetime, *, pace: Pace) -> bool:
    """Whether progress of the second moment is worth writing after that of the first. A clock may be put back in between."""
    return abs((new - old).total_seconds()) >= pace.progress_interval_seconds


def _told(life: Life, moment: datetime | None) -> datetime | None:
    """A moment that a pod has told, at the latest now: its clock may be wrong, and it may say anything."""
    return None if moment is None else min(moment, life.now)


def _records(life: Life) -> Iterable[tuple[FinalRecord, datetime | None]]:
    """What the workers said last, and when."""
    return ((pod.record, pod.finished) for pod in life.gang.pods if pod.record is not None)


def _searches(life: Life) -> list[tuple[TuningStatus, datetime | None]]:
    """What is said about the search, the last word last."""
    report = life.reports.last
    reported = [(report.tuning, _told(life, report.updated_at))] if report is not None else []
    recorded = [(record.tuning, ended) for record, ended in _records(life)]
    return [(search, moment) for search, moment in (*reported, *recorded) if search is not None]


def _recorded(search: TuningStatus, *, attempt: int, moment: datetime | None) -> TuningRecord:
    said = search.model_dump(include=set(TuningStatus.model_fields))
    return TuningRecord.model_validate({**said, "attempt": attempt, "recorded_at": moment})


def _reach(position: CheckpointPosition) -> tuple[int, int, int]:
    """How far a checkpoint goes: epochs count anew in each stage."""
    return _ORDER.get(position.stage, -1), position.epoch, position.step


def _moments(life: Life) -> StartMoments:
    """Of worker 0's last report, and where that was too early for a moment, of its last words."""
    reported = [life.reports.fresh.moments] if life.reports.fresh is not None else []
    recorded = [record.moments for record, _ in _records(life) if record.worker == 0]
    told: dict[str, datetime] = {}
    for moments in (*recorded, *reported):
        told |= moments.model_dump(exclude_none=True)
    return StartMoments(**told)


def _positions(life: Life) -> list[tuple[CheckpointPosition, datetime | None]]:
    """Checkpoints that somebody has reported, and when they were there at the latest."""
    report = life.reports.last
    reported = [(report.checkpoint, _told(life, report.updated_at))] if report is not None else []
    recorded = [(record.checkpoint, ended) for record, ended in _records(life)]
    return [(position, moment) for position, moment in (*reported, *recorded) if position is not None]


def _has_first_step(status: TrainingRunStatus) -> bool:
    return status.timeline is not None and status.timeline.first_step is not None


def _last(moments: Iterable[datetime | None]) -> datetime | None:
    """The latest moment, once all are known."""
    known = list(moments)
    return None if None in known else max((moment for moment in known if moment is not None), default=None)
