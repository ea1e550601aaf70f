"""Views on a terminal, or in a pipe: there without colours, and without lines that are cut."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape

from trainingrun.views.details import Group
from trainingrun.views.tables import Table
from trainingrun.views.why import Why

_COLOURS = {
    "Succeeded": "green",
    "Running": "cyan",
    "Failed": "red",
    "Stalled": "red",
    "Restarting": "yellow",
    "Waiting": "yellow",
}
_GAP = "   "


def console() -> Console:
    """Standard output. Colours only on a terminal, and not with NO_COLOR."""
    return Console(highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """A word to the person, on standard error, so that a pipe does not have it."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(escape(text))


def lines(table: Table) -> list[str]:
    """A table as kubectl prints it: columns as wide as their widest text."""
    rows = [table.header, *table.rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(table.header))]
    return [_GAP.join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def table(drawn: Table, *, empty: str = "") -> None:
    """Print a table, or a sentence when it has no rows."""
    if not drawn.rows and empty:
        say(empty)
        return
    head, *rest = lines(drawn)
    out = console()
    out.print(f"[bold]{escape(head)}[/bold]")
    for row, text in zip(drawn.rows, rest, strict=True):
        state = next((cell for cell in row if cell in _COLOURS), None)
        painted = escape(text)
        out.print(painted.replace(state, f"[{_COLOURS[state]}]{state}[/]", 1) if state is not None else painted)


def objects(found: Sequence[dict[str, Any]], *, form: str, is_list: bool) -> None:
    """Print objects as JSON, YAML, or kind and name, as kubectl does."""
    if form == "name":
        for each in found:
            print(f"{each.get('kind', 'TrainingRun').lower()}.trainingrun.dev/{each['metadata']['name']}")
        return
    made: Any = {"apiVersion": "v1", "kind": "List", "items": list(found)} if is_list else found[0]
    if form == "json":
        print(json.dumps(made, indent=2, ensure_ascii=False))
        return
    from trainingrun.client.manifests import to_yaml

    sys.stdout.write(to_yaml(made))


def details(groups: Iterable[Group]) -> None:
    """Print a run's screen."""
    out = console()
    for group in groups:
        for what, how in group:
            colour = _COLOURS.get(how)
            shown = f"[{colour}]{escape(how)}[/]" if colour is not None else escape(how)
            out.print(f"[bold]{escape(what):<12}[/bold] {shown}")
        out.print()


def why(answer: Why) -> None:
    """Print an answer."""
    out = console()
    colour = _COLOURS.get(answer.state, "default")
    since = f" for {answer.since}" if answer.since else ""
    word = f" ({escape(answer.word)})" if answer.word else ""
    out.print(f"{escape(answer.name)} is [{colour}]{escape(answer.state)}[/]{word}{since}.")
    for text in (answer.sentence, answer.hint):
        if text:
            out.print(f"  {escape(text)}")
    if answer.evidence:
        out.print("Evidence:")
    for each in answer.evidence:
        times = f" ({each.count} times)" if each.count > 1 else ""
        out.print(f"  {escape(f'{each.about}: {each.reason}. {each.message}{times}')}")
    out.print("Next:")
    for command in answer.commands:
        out.print(f"  {escape(command)}")
