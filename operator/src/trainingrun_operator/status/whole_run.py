"""How far is the whole run? A trainer reports how far its stage is; what all stages are follows from the spec.

Stages weigh what `trainingrun.stages` says. The part that is done is a place in that list, so it only grows while an attempt
goes through it: a stage that ends early (early stopping) is done to its end, as the next one has begun. Only a run that has
succeeded is 100 %. The time left is what the stage says of itself, and what epochs take in the stages to come.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from trainingrun.api import CheckpointPosition, Progress, TrainingRunSpec, TuningRecord
from trainingrun.contract import ProgressReport, Stage
from trainingrun.stages import Part, parts_of

_EXACT_SECONDS = 10
"""From here on a whole number of seconds tells how long an epoch takes."""
_BEFORE_TRAINING = (Stage.STARTING, Stage.CHOOSING, Stage.TUNING)


@dataclass(frozen=True)
class Safe:
    """What earlier attempts of the round have left on the output."""

    checkpoint: CheckpointPosition | None = None
    search: TuningRecord | None = None


@dataclass(frozen=True)
class Whole:
    """The whole run: percent from 0 to 99, seconds left where they can be told, and what an epoch of training takes."""

    percent: int
    eta_seconds: int | None
    epoch_milliseconds: int | None


def whole_run(spec: TrainingRunSpec, report: ProgressReport, *, known: Progress | None, safe: Safe = Safe()) -> Whole:
    """How far the run is that this report is about; `known` is what was said before in the same attempt."""
    parts = parts_of(spec, trials=safe.search.trials if safe.search is not None else None)
    before = known if known is not None and known.stage_percent is not None else None  # else an older operator has written it
    done = before.percent if before is not None else 0
    place = _place(parts, report, reached=done)
    pace = known.epoch_milliseconds if known is not None else None
    if place is None:
        done = max(done, _percent(parts, _safe_work(parts, report, safe)))
        return Whole(percent=done, eta_seconds=None, epoch_milliseconds=pace)
    pace = _epoch_milliseconds(parts[place], report, known=pace)
    work = max(_work_done(parts, report, place=place), _safe_work(parts, report, safe))
    return Whole(
        percent=max(done, _percent(parts, work)),
        eta_seconds=_eta(parts, report, place=place, pace=pace),
        epoch_milliseconds=pace,
    )


def _place(parts: Sequence[Part], report: ProgressReport, *, reached: int) -> int | None:
    """The part that a report is about; None when the spec has none of that stage.

    An image that does not say which of several it is, is in the first that goes at least as far as the run has come.
    """
    places = [place for place, part in enumerate(parts) if part.stage is report.stage]
    if not places:
        return None
    if report.turn:
        return places[min(report.turn, len(places)) - 1]
    alike = [place for place in places if bool(parts[place].epochs) == bool(report.epochs)] or places
    further = (place for place in alike if _percent(parts, _work_done(parts, report, place=place)) >= reached)
    return next(further, alike[-1])


def _work_done(parts: Sequence[Part], report: ProgressReport, *, place: int) -> float:
    return sum(part.work for part in parts[:place]) + parts[place].work * _share(report)


def _share(report: ProgressReport) -> float:
    """The done part of the stage, from 0 to 1."""
    return _part(report.step, report.steps) if report.steps > 0 else report.percent / 100


def _safe_work(parts: Sequence[Part], report: ProgressReport, safe: Safe) -> float:
    """What a later attempt need not do again, until it has come to where it shows whether that is so."""
    if report.stage not in _BEFORE_TRAINING:
        return 0.0
    reached = [0.0]
    for place, part in enumerate(parts):
        before = sum(each.work for each in parts[:place])
        if safe.search is not None and part.stage is Stage.TUNING:
            reached.append(before + part.work * _part(safe.search.lasting, safe.search.trials))
        if safe.checkpoint is not None and part.epochs and part.stage == safe.checkpoint.stage:
            reached.append(before + part.work * _part(safe.checkpoint.epoch, part.epochs))
            break  # of several of a stage, any may have written it: it is the first at least
    return max(reached)


def _part(done: int, total: int) -> float:
    return min(1.0, max(0.0, done / total)) if total > 0 else 0.0


def _percent(parts: Sequence[Part], work: float) -> int:
    """At most 99: nobody reports the last part, and the run has succeeded when that is done."""
    return int(100 * work / sum(part.work for part in parts))


def _epoch_milliseconds(part: Part, report: ProgressReport, *, known: int | None) -> int | None:
    """Measured time of an epoch of training: in this stage, or where it does not tell, in one before."""
    if report.epoch_milliseconds and part.epochs:
        return round(report.epoch_milliseconds * part.epochs / part.work)
    left = part.work * (1 - _share(report))
    if not report.eta_seconds or left <= 0 or (known is not None and report.eta_seconds < _EXACT_SECONDS):
        return known
    return round(1000 * report.eta_seconds / left)


def _eta(parts: Sequence[Part], report: ProgressReport, *, place: int, pace: int | None) -> int | None:
    if pace is None:
        return None
    to_come = sum(part.work for part in parts[place + 1 :])
    stage = parts[place].work * (1 - _share(report)) * pace / 1000 if report.eta_seconds is None else report.eta_seconds
    return round(stage + to_come * pace / 1000)
