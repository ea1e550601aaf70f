"""Progress and time left are the whole run's: over any life of an attempt, whatever its image says."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import NOON, a_run
from trainingrun.api import Checkpoint, Progress, TrainingRunSpec, TuningRecord
from trainingrun.contract import ProgressReport, Stage
from trainingrun.stages import Part, parts_of
from trainingrun_operator.status.whole_run import Safe, Whole, whole_run

SEARCH = {"trials": 6, "epochsPerTrial": 3, "parameters": [{"name": "training.batchSize", "categorical": ["32", "64"]}]}
SHIPPED: dict[str, Any] = {
    "spec__training": {"epochs": 10, "batchSize": "Auto"},
    "spec__tuning": SEARCH,
    "spec__compression": {
        "pruning": {"finalSparsities": ["0.5", "0.8"], "epochs": 4},
        "quantization": {"mode": "Int8Aware", "epochs": 2},
    },
}
STEPS = 20
"""Of each stage that counts them."""


def a_spec(**changes: Any) -> TrainingRunSpec:
    return a_run(**(SHIPPED | changes)).spec


def a_report(stage: Stage, *, step: int = 0, steps: int = STEPS, eta: int | None = None, **fields: Any) -> ProgressReport:
    return ProgressReport(attempt=1, stage=stage, step=step, steps=steps, eta_seconds=eta, updated_at=NOON, **fields)


def known(whole: Whole | None, *, stage: str = "Training") -> Progress | None:
    """What the status says after that."""
    if whole is None:
        return None
    return Progress(
        stage=stage,
        percent=whole.percent,
        eta_seconds=whole.eta_seconds,
        stage_percent=0,
        epoch_milliseconds=whole.epoch_milliseconds,
    )


@st.composite
def specs(draw: st.DrawFn) -> TrainingRunSpec:
    pruning = st.fixed_dictionaries(
        {
            "finalSparsities": st.sampled_from([["0.5"], ["0.5", "0.8"], ["0.5", "0.7", "0.9"]]),
            "epochs": st.integers(1, 20),
        }
    )
    modes = [{"mode": "Int8"}, {"mode": "Int8Aware", "epochs": 3}, {"mode": "Float16"}]
    compression = {
        name: chosen
        for name, choices in (("pruning", st.none() | pruning), ("quantization", st.none() | st.sampled_from(modes)))
        if (chosen := draw(choices)) is not None
    }
    tuning = draw(st.none() | st.integers(1, 30).map(lambda trials: SEARCH | {"trials": trials}))
    return a_spec(
        spec__training={"epochs": draw(st.integers(1, 50)), "batchSize": draw(st.sampled_from([64, "Auto"]))},
        spec__tuning=tuning,
        spec__compression=compression or None,
    )


@st.composite
def lives(draw: st.DrawFn, *, turns: bool) -> tuple[TrainingRunSpec, list[ProgressReport]]:
    """What an attempt reports from its start to its end; stages end early, and some are over before anybody looks."""
    spec = draw(specs())
    said, passed = [a_report(Stage.STARTING, steps=0)], dict.fromkeys(Stage, 0)
    for part in parts_of(spec):
        if part.stage is None:
            continue
        passed[part.stage] += 1
        said += _reports(draw, part, turn=passed[part.stage] if turns else 0)
    return spec, said


def _reports(draw: st.DrawFn, part: Part, *, turn: int) -> list[ProgressReport]:
    assert part.stage is not None
    counts = part.epochs > 0 or part.stage in (Stage.TUNING, Stage.EVALUATING)
    steps = sorted(draw(st.lists(st.integers(0, STEPS), max_size=4))) if counts else [0]
    seconds = draw(st.none() | st.integers(0, 10**6))
    pace = draw(st.none() | st.integers(0, 10**6)) if part.epochs else None
    return [
        a_report(
            part.stage,
            step=step,
            steps=STEPS if counts else 0,
            eta=None if seconds is None else seconds * (STEPS - step) // STEPS,
            turn=turn,
            epochs=part.epochs,
            epoch_milliseconds=pace,
        )
        for step in steps
    ]


def follow(spec: TrainingRunSpec, said: list[ProgressReport]) -> list[Whole]:
    wholes: list[Whole] = []
    for report in said:
        wholes.append(whole_run(spec, report, known=known(wholes[-1] if wholes else None)))
    return wholes


def is_sound(whole: Whole) -> bool:
    return 0 <= whole.percent <= 99 and (whole.eta_seconds is None or whole.eta_seconds >= 0)


@given(lives(turns=True))
def test_an_attempt_only_goes_forward_and_is_done_when_it_has_ended(life: tuple[TrainingRunSpec, list[ProgressReport]]) -> None:
    wholes = follow(*life)
    percents = [whole.percent for whole in wholes]
    assert all(map(is_sound, wholes))
    assert percents == sorted(percents)
    assert percents == [whole_run(life[0], report, known=None).percent for report in life[1]], "nothing had to be held up"


@given(lives(turns=False))
def test_so_does_one_whose_image_does_not_say_where_it_is(life: tuple[TrainingRunSpec, list[ProgressReport]]) -> None:
    wholes = follow(*life)
    percents = [whole.percent for whole in wholes]
    assert all(map(is_sound, wholes))
    assert percents == sorted(percents)
    spec, said = life
    for report, whole in zip(said, wholes, strict=True):
        last = whole_run(spec, report.model_copy(update={"turn": 10**6}), known=None)
        assert whole.percent <= max([last.percent, *percents[: said.index(report)]]), "it is no further than it can be"


@given(st.data())
def test_whatever_a_stranger_reports_is_a_percentage_and_no_time_before_now(data: st.DataObject) -> None:
    spec, huge = data.draw(specs()), st.integers(0, 2**63 - 1)
    whole = whole_run(
        spec,
        a_report(
            data.draw(st.sampled_from(Stage)),
            step=data.draw(st.integers(-(2**63), 2**63 - 1)),
            steps=data.draw(st.integers(-(2**63), 2**63 - 1)),
            eta=data.draw(st.none() | huge),
            turn=data.draw(huge),
            epochs=data.draw(huge),
            epoch_milliseconds=data.draw(st.none() | huge),
        ),
        known=known(Whole(percent=data.draw(st.integers(0, 100)), eta_seconds=None, epoch_milliseconds=data.draw(huge))),
        safe=Safe(
            Checkpoint(stage=data.draw(st.sampled_from(Stage)), epoch=data.draw(huge)),
            TuningRecord(trials=data.draw(huge), completed=data.draw(huge)),
        ),
    )
    assert 0 <= whole.percent <= 100
    assert whole.eta_seconds is None or whole.eta_seconds >= 0


def test_a_stage_that_ends_is_no_fall_from_all_to_nothing() -> None:
    spec = a_spec(spec__tuning=None, spec__training={"epochs": 10})  # 27.5: 10, 4 + 3 of each sparsity, 7 halves
    trained = whole_run(spec, a_report(Stage.TRAINING, step=STEPS, turn=1, epochs=10), known=None)
    pruning = whole_run(spec, a_report(Stage.PRUNING, turn=1, epochs=4), known=None)
    again = whole_run(spec, a_report(Stage.PRUNING, turn=2, epochs=4), known=None)
    assert [trained.percent, pruning.percent, again.percent] == [36, 38, 67]


def test_a_preempted_attempt_that_has_lost_some_steps_waits_for_itself() -> None:
    before = Progress(stage="Training", percent=30, stage_percent=80)
    assert whole_run(a_spec(), a_report(Stage.TRAINING, step=1, turn=1, epochs=10), known=before).percent == 30


def test_an_image_that_does_not_say_where_it_is_is_followed_from_one_sparsity_to_the_next() -> None:
    spec = a_spec(spec__tuning=None)
    places = [(Stage.PRUNING, 4), (Stage.QUANTIZING, 2), (Stage.QUANTIZING, 0)]
    told = [(place, turn, step) for turn in (1, 2) for place in places for step in (range(STEPS + 1) if place[1] else [0])]
    turns = {(Stage.PRUNING, 4): (1, 2), (Stage.QUANTIZING, 2): (1, 3), (Stage.QUANTIZING, 0): (2, 4)}
    said = [
        a_report(place[0], step=step, epochs=place[1], steps=STEPS if place[1] else 0, turn=turns[place][turn - 1])
        for place, turn, step in told
    ]
    silent = [report.model_copy(update={"turn": 0}) for report in said]
    assert [whole.percent for whole in follow(spec, silent)] == [whole.percent for whole in follow(spec, said)]


def test_training_that_stops_early_is_done_to_its_end_and_not_beyond() -> None:
    spec = a_spec(spec__compression=None, spec__tuning=None, spec__training={"epochs": 9})
    stopped = whole_run(spec, a_report(Stage.TRAINING, step=4, turn=1, epochs=9), known=None)
    evaluating = whole_run(spec, a_report(Stage.EVALUATING, turn=1), known=known(stopped))
    assert [stopped.percent, evaluating.percent] == [18, 90]


def test_stages_to_come_are_estimated_by_what_an_epoch_takes() -> None:
    spec = a_spec(spec__training={"epochs": 10}, spec__compression={"pruning": {"epochs": 4}}, spec__tuning=None)
    report = a_report(Stage.TRAINING, step=5, turn=1, epochs=10, eta=15, epoch_milliseconds=2000)
    whole = whole_run(spec, report, known=None)
    assert whole.eta_seconds == 15 + 2 * (0.5 + 4 + 0.5 + 0.5 + 0.5)
    converting = whole_run(spec, a_report(Stage.EVALUATING, steps=0, turn=1), known=known(whole))
    assert converting.eta_seconds == 2 * (0.5 + 0.5), "by the epochs of training, as it measures none itself"


def test_an_image_that_says_only_how_much_time_is_left_is_measured_by_that() -> None:
    spec = a_spec(spec__training={"epochs": 10}, spec__compression=None, spec__tuning=None)
    first = whole_run(spec, a_report(Stage.TRAINING, step=10, epochs=10, eta=50), known=None)
    assert (first.epoch_milliseconds, first.eta_seconds) == (10_000, 60)
    last = whole_run(spec, a_report(Stage.TRAINING, step=19, epochs=10, eta=1), known=known(first))
    assert (last.epoch_milliseconds, last.eta_seconds) == (10_000, 11), "a rounded second says nothing of an epoch"


def test_what_an_older_operator_said_of_a_stage_is_not_taken_for_the_run() -> None:
    spec = a_spec(spec__compression=None, spec__tuning=None, spec__training={"epochs": 9})
    before = Progress(stage="Training", percent=100)
    assert whole_run(spec, a_report(Stage.EVALUATING, turn=1), known=before).percent == 90
    assert whole_run(spec, a_report(Stage.TRAINING, step=2, turn=1), known=before).percent == 9


SAFE = {
    "a checkpoint of training": (Safe(Checkpoint(stage="Training", epoch=5)), Stage.STARTING, 18),
    "a checkpoint of pruning, of whichever sparsity": (Safe(Checkpoint(stage="Pruning", epoch=2)), Stage.CHOOSING, 91),
    "trials": (Safe(search=TuningRecord(trials=6, completed=2, pruned=1)), Stage.STARTING, 6),
    "nothing": (Safe(), Stage.STARTING, 0),
    "a checkpoint that training does not go on from": (Safe(Checkpoint(stage="Pruning", epoch=2)), Stage.TRAINING, 13),
}


@pytest.mark.parametrize(("safe", "stage", "percent"), SAFE.values(), ids=SAFE)
def test_another_attempt_begins_where_the_one_before_has_left_something(safe: Safe, stage: Stage, percent: int) -> None:
    spec = a_spec(
        spec__training={"epochs": 70},  # of 92, after a search of 12 and before a pruning of 8
        spec__tuning=SEARCH | {"scheduler": "None", "epochsPerTrial": 2},
        spec__compression={"pruning": {"epochs": 8}},
    )
    assert whole_run(spec, a_report(stage, turn=1, steps=0), known=None, safe=safe).percent == percent
