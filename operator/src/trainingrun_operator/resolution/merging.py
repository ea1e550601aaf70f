"""Two sets of fields, what is given and what is asked for, as one: what is asked for wins, and every difference is named.

The rule that tells the two apart is that a field which may be given has no default in the schema of a run, so that a value that
is there was written by somebody. Inside of an accelerator fields have defaults, so it is taken as a whole. Both sets are
without what is empty.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Fields = dict[str, Any]

_WHOLE = "accelerator"


@dataclass(frozen=True)
class Difference:
    """A value that is asked for where another one is given."""

    path: str
    given: Any
    asked: Any


def compact(value: Any) -> Any:
    """The value without empty objects and lists, which say nothing."""
    if isinstance(value, dict):
        kept = {name: compact(child) for name, child in value.items()}
        return {name: child for name, child in kept.items() if child not in ({}, [])}
    return value


def merged(given: Any, asked: Any) -> Any:
    """What applies. Objects are put together field by field, lists whose entries have names entry by entry.

    The order of such a list is that of the given entries, then that of the others.
    """
    if isinstance(given, dict) and isinstance(asked, dict):
        return given | {name: _merged_field(name, given.get(name), value) for name, value in asked.items()}
    if _is_named(given) and _is_named(asked):
        return list((_by_name(given) | _by_name(asked)).values())
    return asked


def differences(given: Any, asked: Any, *, path: str = "") -> Iterator[Difference]:
    """Where what is asked for is not what is given, each with its path."""
    if isinstance(given, dict) and isinstance(asked, dict):
        for name in given.keys() & asked.keys():
            where = f"{path}.{name}".lstrip(".")
            if name != _WHOLE:
                yield from differences(given[name], asked[name], path=where)
            elif given[name] != asked[name]:
                yield Difference(where, given[name], asked[name])
    elif _is_named(given) and _is_named(asked):
        known = _by_name(given)
        for name, entry in _by_name(asked).items():
            if name in known and known[name] != entry:
                yield Difference(f"{path}[{name}]", known[name], entry)
    elif given != asked:
        yield Difference(path, given, asked)


def _merged_field(name: str, given: Any, asked: Any) -> Any:
    return asked if given is None or name == _WHOLE else merged(given, asked)


def _is_named(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(entry, dict) and "name" in entry for entry in value)


def _by_name(entries: list[Fields]) -> Fields:
    return {entry["name"]: entry for entry in entries}
