"""From the events of a search to the report's values."""

from collections.abc import Iterable
from datetime import datetime

from trainingrun.api import Goal, Scale, SearchParameter
from trainingrun.api import Tuning as Search
from trainingrun_trainer.report.values import Trial, TrialState, Tuning
from trainingrun_trainer.tuning.events import Event

_STATES = {"completed": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "failed": TrialState.FAILED}


def search_values(search: Search, events: Iterable[Event]) -> Tuning:
    """The trials that have ended, by number; one that was interrupted counts from when it began again."""
    numeric = {each.name for each in search.parameters if each.categorical is None}
    parameters: dict[int, dict[str, float | str]] = {}
    began: dict[int, Event] = {}
    seconds: dict[int, float | None] = {}
    epochs: dict[int, list[float]] = {}
    states: dict[int, TrialState] = {}
    for event in events:
        if event.event == "started":
            told = event.parameters.items()
            parameters[event.trial] = {name: float(value) if name in numeric else value for name, value in told}
            epochs[event.trial], began[event.trial] = [], event
        elif event.event == "epoch" and event.value is not None:
            epochs[event.trial].append(event.value)
        elif event.event in _STATES:
            states[event.trial] = _STATES[event.event]
            seconds[event.trial] = _seconds(began[event.trial], event)
    return Tuning(
        metric=search.objective.metric,
        is_maximized=search.objective.goal is Goal.MAXIMIZE,
        trials=tuple(
            Trial(
                number=number,
                parameters=parameters[number],
                state=state,
                value=epochs[number][-1] if state is not TrialState.FAILED and epochs[number] else None,
                epochs=tuple(epochs[number]),
                seconds=seconds[number],
            )
            for number, state in sorted(states.items())
        ),
        logarithmic=frozenset(each.name for each in search.parameters if _is_logarithmic(each)),
    )


def _seconds(start: Event, end: Event) -> float | None:
    """Unknown of a trial whose end only a later attempt has noted."""
    if not start.time or not end.time or start.attempt != end.attempt:
        return None
    return (datetime.fromisoformat(end.time) - datetime.fromisoformat(start.time)).total_seconds()


def _is_logarithmic(parameter: SearchParameter) -> bool:
    found = parameter.double or parameter.int_
    return found is not None and found.scale is Scale.LOG
