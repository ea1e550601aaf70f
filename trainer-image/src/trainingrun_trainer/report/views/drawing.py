"""A drawing with all that belongs to it, as the page shows it."""

from dataclasses import dataclass

from markupsafe import Markup

from trainingrun_trainer.report.charts import svg


@dataclass(frozen=True)
class Entry:
    """A line of a legend."""

    swatch: Markup
    text: str

    @classmethod
    def of(cls, series: int, text: str, *, has_line: bool = True, has_mark: bool = False) -> "Entry":
        """The entry of a series."""
        return cls(svg.swatch(series=series, has_line=has_line, has_mark=has_mark), text)


@dataclass(frozen=True)
class Drawing:
    """A chart with its title, its legend and a sentence below."""

    title: str
    chart: Markup
    legend: tuple[Entry, ...] = ()
    note: str = ""
    is_wide: bool = False
    """Whether it keeps its own width, and scrolls inside its box where the page is narrower."""
