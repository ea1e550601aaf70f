"""The trials of a search as the report shows them."""

from trainingrun.api import Tuning
from trainingrun_trainer.report.values import Trial, TrialState
from trainingrun_trainer.stages.report_search import search_values
from trainingrun_trainer.tuning.events import Event

RATE, UNITS = "training.optimizer.learningRate", "model.parameters.hiddenUnits"
SEARCH = Tuning.model_validate(
    {
        "objective": {"metric": "val_loss"},
        "parameters": [
            {"name": RATE, "double": {"minimum": "1e-4", "maximum": "1e-1", "scale": "Log"}},
            {"name": UNITS, "categorical": ["64", "128"]},
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
