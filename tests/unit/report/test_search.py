"""The trials of a search as the report shows them."""

from dataclasses import replace

from trainingrun.api import Tuning
from trainingrun_trainer.report.values import Trial, TrialState
from trainingrun_trainer.stages.reporting.search import search_values
from trainingrun_trainer.tuning.events import Event

RATE, UNITS = "training.optimizer.learningRate", "model.parameters.hiddenUnits"
SEARCH = Tuning.model_validate(
    {
        "objective": {"metric": "val_loss"},
        "parameters": [
            {"name": RATE, "double": {"minimum": 0.0001, "maximum": 0.1, "scale": "Log"}},
            {"name": UNITS, "categorical": [64, 128]},
        ],
    }
)


def started(trial: int, *, rate: str, units: str) -> Event:
    return Event(trial, "started", rank=0, parameters={RATE: rate, UNITS: units})


def test_trials_have_their_last_attempts_epochs_and_how_they_ended() -> None:
    events = [
        started(0, rate="0.001", units="64"),
        Event(0, "epoch", epoch=1, value=0.9),
        Event(0, "interrupted"),
        started(0, rate="0.001", units="64"),
        started(1, rate="0.1", units="128"),
        Event(1, "epoch", epoch=1, value=2.0),
        Event(1, "failed", cause="NotANumber"),
        Event(0, "epoch", epoch=1, value=0.8),
        Event(0, "epoch", epoch=2, value=0.5),
        Event(0, "completed"),
        started(2, rate="0.01", units="128"),
    ]
    shown = search_values(SEARCH, events)
    assert (shown.metric, shown.is_maximized, shown.logarithmic) == ("val_loss", False, frozenset({RATE}))
    assert shown.trials == (
        Trial(number=0, parameters={RATE: 0.001, UNITS: "64"}, state=TrialState.COMPLETE, value=0.5, epochs=(0.8, 0.5)),
        Trial(number=1, parameters={RATE: 0.1, UNITS: "128"}, state=TrialState.FAILED, value=None, epochs=(2.0,)),
    )


def test_a_trial_took_from_its_start_to_its_end_if_one_attempt_saw_both() -> None:
    def noted(event: Event, *, attempt: int, second: int) -> Event:
        return replace(event, attempt=attempt, time=f"2026-11-25T12:00:{second:02}.000+00:00")

    events = [
        noted(started(0, rate="0.001", units="64"), attempt=1, second=1),
        noted(started(1, rate="0.001", units="64"), attempt=1, second=2),
        noted(Event(0, "completed"), attempt=1, second=9),
        noted(Event(1, "failed"), attempt=2, second=40),
        noted(started(2, rate="0.001", units="64"), attempt=2, second=41),
        noted(Event(2, "interrupted"), attempt=2, second=45),
        noted(started(2, rate="0.001", units="64"), attempt=3, second=50),
        noted(Event(2, "pruned"), attempt=3, second=53),
    ]
    assert [trial.seconds for trial in search_values(SEARCH, events).trials] == [8.0, None, 3.0]
