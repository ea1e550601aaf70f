"""The tables at the end of `make test`. Pure: values in, text out."""

from collections.abc import Iterable, Mapping, Sequence

from tools.suite.accounts import Account
from tools.suite.records import Duration
from tools.suite.running import Outcome

SLOWEST = 15


def of_stages(outcomes: Sequence[Outcome], tests: Mapping[str, Sequence[Duration]]) -> str:
    """A line per stage: how long it took, how long processors worked for it, and what its tests waited for."""
    rows = [_stage(outcome, tests.get(outcome.stage.name, ())) for outcome in outcomes]
    return _table(["stage", "seconds", "processors", "tests", *Account], rows)


def of_slowest(tests: Iterable[Duration]) -> str:
    """A line for each of the slowest tests, the slowest first."""
    slowest = sorted(tests, key=lambda test: test.seconds, reverse=True)[:SLOWEST]
    rows = [[f"{test.seconds:.1f}", *_waits([test]), test.stage, test.name] for test in slowest]
    return _table(["seconds", *Account, "stage", "test"], rows)


def _stage(outcome: Outcome, tests: Sequence[Duration]) -> list[str]:
    count = str(len(tests)) if tests else ""
    return [outcome.stage.name, f"{outcome.seconds:.0f}", f"{outcome.processor_seconds:.0f}", count, *_waits(tests)]


def _waits(tests: Sequence[Duration]) -> list[str]:
    """Seconds on each account, over all tests; empty for none."""
    sums = [sum(test.waits.get(account, 0.0) for test in tests) for account in Account]
    return [f"{seconds:.1f}" if seconds >= 0.05 else "" for seconds in sums]


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as they must be; those of numbers are aligned to the right."""
    widths = [max(len(row[number]) for row in [heads, *rows]) for number in range(len(heads))]
    right = [all(_is_number(row[number]) for row in rows) for number in range(len(heads))]

    def line(cells: Sequence[str]) -> str:
        aligned = zip(cells, widths, right, strict=True)
        return "  ".join(cell.rjust(width) if is_right else cell.ljust(width) for cell, width, is_right in aligned).rstrip()

    return "\n".join([line(heads), *map(line, rows)])


def _is_number(cell: str) -> bool:
    return cell.replace(".", "", 1).isdigit() or not cell
