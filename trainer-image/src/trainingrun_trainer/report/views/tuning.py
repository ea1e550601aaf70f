"""The search: how its objective went, which parameters mattered, how good trials differ from bad ones."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from trainingrun_trainer.report.charts.bars import Bar, bars
from trainingrun_trainer.report.charts.parallel import Line, parallel
from trainingrun_trainer.report.charts.plot import Axis, Plot
from trainingrun_trainer.report.charts.scale import close_fit, linear
from trainingrun_trainer.report.importance import importances
from trainingrun_trainer.report.thinning import spread, thinned
from trainingrun_trainer.report.values import Trial, TrialState, Tuning
from trainingrun_trainer.report.views.drawing import Drawing, Entry
from trainingrun_trainer.report.words import counted, duration, figure, percent

_MOST_LINES, _MOST_CURVES, _MOST_POINTS, _MOST_ROWS = 150, 60, 60, 10
_MOST_TOLD = 200
"""Trials whose parameters are told when they are pointed at; of more, only the value is."""
_BEST, _COMPLETE, _PRUNED, _FAILED = 1, 0, 6, 4
"""Styles of the series."""
_STYLE = {TrialState.COMPLETE: _COMPLETE, TrialState.PRUNED: _PRUNED, TrialState.FAILED: _FAILED}


@dataclass(frozen=True)
class TuningView:
    """What the section shows."""

    sentence: str
    drawings: tuple[Drawing, ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    """The best trials: number, value, parameters, and time where it is known."""


def tuning_view(tuning: Tuning) -> TuningView:
    """All that can be drawn of the trials there are; charts that need more of them are left out."""
    best = _ordered(tuning)
    drawings = [_history(tuning), _curves(tuning), _importance(tuning), _parallel(tuning, best)]
    names = tuple(best[0].parameters) if best else ()
    has_times = any(trial.seconds is not None for trial in best)
    return TuningView(
        sentence=_sentence(tuning, best),
        drawings=tuple(drawing for drawing in drawings if drawing is not None),
        columns=("Trial", tuning.metric, *_short(names), *(["Time"] if has_times else [])),
        rows=tuple(_row(trial, names, has_times=has_times) for trial in best[:_MOST_ROWS]),
    )


def _ordered(tuning: Tuning) -> list[Trial]:
    """The completed trials, the best first."""
    sign = -1 if tuning.is_maximized else 1
    complete = [trial for trial in tuning.trials if trial.state is TrialState.COMPLETE and _is_number(trial.value)]
    return sorted(complete, key=lambda trial: sign * _value(trial))


def _sentence(tuning: Tuning, best: Sequence[Trial]) -> str:
    counts = {state: sum(trial.state is state for trial in tuning.trials) for state in TrialState}
    states = ", ".join(f"{count:,} {state}" for state, count in counts.items() if count)
    start = f"{counted(len(tuning.trials), 'trial')} ({states}), compared by {tuning.metric}"
    if not best:
        return f"{start}. None came to its end."
    found = ", ".join(f"{name} {_text(value)}" for name, value in best[0].parameters.items())
    return f"{start}. The best is trial {best[0].number} with {figure(_value(best[0]))}: {found}."


def _short(names: Sequence[str]) -> list[str]:
    """Names without the path before them, where they are still told apart."""
    leaves = [name.rpartition(".")[2] or name for name in names]
    return [leaf if leaves.count(leaf) == 1 else name for leaf, name in zip(leaves, names, strict=True)]


def _row(trial: Trial, names: Sequence[str], *, has_times: bool) -> tuple[str, ...]:
    values = (_text(trial.parameters[name]) if name in trial.parameters else "" for name in names)
    time = duration(trial.seconds) if trial.seconds is not None else ""
    return (str(trial.number), figure(_value(trial)), *values, *([time] if has_times else []))


def _history(tuning: Tuning) -> Drawing | None:
    shown = [trial for trial in tuning.trials if _is_number(trial.value)]
    if not shown:
        return None
    numbers = [trial.number for trial in tuning.trials]
    x = Axis("Trial", close_fit(min(numbers), max(numbers)), lambda value: f"{value:,.0f}")
    scale = linear(_value(trial) for trial in shown)
    plot = Plot(x, Axis(tuning.metric, scale), label=f"{tuning.metric} of each trial, and the best so far")
    for trial in sorted(tuning.trials, key=lambda trial: trial.state is TrialState.COMPLETE):
        place = _value(trial) if _is_number(trial.value) else (scale.low if tuning.is_maximized else scale.high)
        tooltip = _said(trial, tuning.metric, with_parameters=len(tuning.trials) <= _MOST_TOLD)
        plot.mark((trial.number, place), series=_STYLE[trial.state], tooltip=tooltip)
    steps = _best_so_far(tuning)
    if len(steps) > 1:
        plot.line(steps, series=_BEST)
    states = {trial.state for trial in tuning.trials}
    marks = [Entry.of(_STYLE[state], state, has_line=False, has_mark=True) for state in TrialState if state in states]
    note = "A failed trial has no value and is drawn at the worse end." if TrialState.FAILED in states else ""
    return Drawing("History of the objective", plot.markup(), (*marks, Entry.of(_BEST, "best so far")), note)


def _best_so_far(tuning: Tuning) -> list[tuple[float, float]]:
    """Corners of the stairs of the best value of a completed trial."""
    steps: list[tuple[float, float]] = []
    better = max if tuning.is_maximized else min
    for trial in sorted(tuning.trials, key=lambda trial: trial.number):
        if trial.state is not TrialState.COMPLETE or not _is_number(trial.value):
            continue
        value = better(steps[-1][1], _value(trial)) if steps else _value(trial)
        if steps and value != steps[-1][1]:
            steps.append((trial.number, steps[-1][1]))
        steps.append((trial.number, value))
    last = max((trial.number for trial in tuning.trials), default=0)
    return [*steps, (last, steps[-1][1])] if steps else []


def _curves(tuning: Tuning) -> Drawing | None:
    longer = [trial for trial in tuning.trials if sum(math.isfinite(value) for value in trial.epochs) > 1]
    shown = spread(longer, most=_MOST_CURVES)
    values = [value for trial in shown for value in trial.epochs if math.isfinite(value)]
    if not values:
        return None
    x = Axis("Epoch of the trial", close_fit(1, max(len(trial.epochs) for trial in shown)), lambda value: f"{value:,.0f}")
    plot = Plot(x, Axis(tuning.metric, linear(values)), label=f"{tuning.metric} of trials after each of their epochs")
    for trial in sorted(shown, key=lambda trial: trial.state is TrialState.COMPLETE):
        points = [(index + 1.0, value) for index, value in enumerate(trial.epochs) if math.isfinite(value)]
        tooltip = _said(trial, tuning.metric)
        plot.line(thinned(points, most=_MOST_POINTS), series=_STYLE[trial.state], kind="line thin", tooltip=tooltip)
        plot.mark(points[-1], series=_STYLE[trial.state], tooltip=tooltip, size=0.6)
    states = {trial.state for trial in shown}
    legend = tuple(Entry.of(_STYLE[state], state, has_mark=True) for state in TrialState if state in states)
    some = "" if len(shown) == len(longer) else f"{len(shown)} of {len(longer):,} trials are drawn."
    return Drawing("Course of the trials", plot.markup(), legend, some)


def _importance(tuning: Tuning) -> Drawing | None:
    shares = importances(tuning.trials)
    if not shares:
        return None
    rows = [Bar(name, share, percent(share)) for name, share in shares]
    complete = sum(trial.state is TrialState.COMPLETE for trial in tuning.trials)
    note = (
        f"Correlation ratio: the share of the variance of the {complete:,} completed trials' ranks that lies between groups "
        "that are alike in this parameter, adjusted for chance. Each parameter is looked at alone."
    )
    return Drawing("Importance of the parameters", bars(rows, label="Importance of each parameter", whole=1.0), (), note)


def _parallel(tuning: Tuning, best: Sequence[Trial]) -> Drawing | None:
    names = [name for name in best[0].parameters if all(name in trial.parameters for trial in best)] if best else []
    if not names or len(best) < 2:
        return None
    shown = spread(best, most=_MOST_LINES)
    lines = [
        Line({**trial.parameters, tuning.metric: _value(trial)}, 1 - index / (len(shown) - 1), _said(trial, tuning.metric))
        for index, trial in enumerate(shown)
    ]
    chart = parallel(
        lines,
        names=[*names, tuning.metric],
        logarithmic_names=tuning.logarithmic,
        label="Parameters and value of each completed trial",
    )
    some = "" if len(shown) == len(best) else f" {len(shown)} of {len(best):,} are drawn, evenly chosen by their rank."
    note = f"A line for each completed trial, the stronger the better its rank; the best is thick.{some}"
    return Drawing("Parallel coordinates", chart, (), note, is_wide=True)


def _said(trial: Trial, metric: str, *, with_parameters: bool = True) -> str:
    value = f": {metric} {figure(trial.value)}" if trial.value is not None else ""
    if not with_parameters:
        return f"Trial {trial.number}, {trial.state}{value}"
    parameters = "".join(f"\n{name} = {_text(each)}" for name, each in trial.parameters.items())
    return f"Trial {trial.number}, {trial.state}{value}{parameters}"


def _text(value: float | str) -> str:
    return value if isinstance(value, str) else figure(value)


def _is_number(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _value(trial: Trial) -> float:
    assert trial.value is not None, "the caller has looked"
    return trial.value
