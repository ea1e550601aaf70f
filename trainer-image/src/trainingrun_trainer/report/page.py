"""The page as a whole: which sections there are, and the template they are put into."""

import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from trainingrun_trainer.report.thinning import spread
from trainingrun_trainer.report.values import Check, Choice, ReportData
from trainingrun_trainer.report.views.confusion import confusion_view
from trainingrun_trainer.report.views.curves import curve_drawings, curve_note
from trainingrun_trainer.report.views.front import front_view
from trainingrun_trainer.report.views.pictures import augmented_views, mistake_views
from trainingrun_trainer.report.views.times import times_drawing, times_sentence
from trainingrun_trainer.report.views.tuning import tuning_view
from trainingrun_trainer.report.words import figure, percent, printable, shortened, size

_TEMPLATES = Path(__file__).parent / "templates"
_LONGEST_TEXT, _LONGEST_PARAMETERS = 500, 100_000
_MOST_ROWS, _MOST_CHECKS, _MOST_PAIRS = 100, 10, 200


@dataclass(frozen=True)
class CheckView:
    """A condition and what was measured, in words."""

    name: str
    bound: str
    value: str
    miss: str
    """By how much it is missed; empty when it holds."""


@dataclass(frozen=True)
class ChoiceView:
    """A value that was found by measuring, with its measurements as a table."""

    name: str
    value: str
    reason: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def render(data: ReportData) -> str:
    """The page as HTML, below 2 MB whatever it is given: large things are thinned, and the page says so where it matters."""
    curves = curve_drawings(data.curves)
    page = (
        _environment()
        .get_template("report.html")
        .render(
            data=data,
            style=Markup((_TEMPLATES / "report.css").read_text()),
            checks=[_check(check) for check in data.verdict.checks[:_MOST_CHECKS]] if data.verdict is not None else [],
            metrics=[(name, figure(value)) for name, value in data.metrics[:_MOST_PAIRS]],
            facts=data.facts[:_MOST_PAIRS],
            curves=curves,
            curve_note=curve_note(data.curves) if curves else "",
            tuning=tuning_view(data.tuning) if data.tuning is not None and data.tuning.trials else None,
            front=front_view(data.artifacts, data.verdict) if data.artifacts else None,
            confusion=confusion_view(data.confusion, data.class_names) if data.confusion is not None else None,
            mistakes=mistake_views(data.mistakes),
            augmented=augmented_views(data.augmented),
            times=times_drawing(data.times, accelerators=data.accelerators),
            total=times_sentence(data.times, accelerators=data.accelerators),
            choices=[_choice(choice) for choice in data.choices[:_MOST_PAIRS]],
            versions=data.versions[:_MOST_PAIRS],
            parameters=Markup.escape(shortened(data.parameters, most=_LONGEST_PARAMETERS)),
        )
    )
    return printable(page)


@cache
def _environment() -> Environment:
    """Every text that a template prints is escaped, and cut where it would fill the page."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_bounded,
    )
    environment.filters["percent"] = percent
    return environment


def _bounded(value: Any) -> Any:
    return shortened(value, most=_LONGEST_TEXT) if type(value) is str else value


def _check(check: Check) -> CheckView:
    text = size if check.is_size else figure
    distance = abs(check.value - check.bound)
    direction = "too much" if check.is_maximum else "too little"
    missed = f"{text(distance)} {direction}" if math.isfinite(distance) else "it cannot be compared"
    bound = f"{'at most' if check.is_maximum else 'at least'} {text(check.bound)}"
    return CheckView(check.name, bound, text(check.value), "" if check.holds else missed)


def _choice(choice: Choice) -> ChoiceView:
    columns = tuple(choice.measured[0]) if choice.measured else ()
    rows = spread(choice.measured, most=_MOST_ROWS)
    cells = tuple(tuple(figure(row[column]) if column in row else "" for column in columns) for row in rows)
    return ChoiceView(choice.name, choice.value, choice.reason, columns, cells)
