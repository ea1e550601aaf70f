"""Versions of the contract: an image may be older than the operator, or newer, and either is used or refused by name.

  - A configuration says only what differs from the defaults, and which version it takes to read it.
  - What is added later is marked with `Since`: a field, some values of it, or those beyond what could be said. Without it an
    image of version 1 will do.
  - A default never changes, a field never goes, and nothing that was read is refused: it would mean something else to an image
    of another version.
  - Reports and final records say which version their image speaks; those that do not say it speak 1.

`CONTRACT` grows with the first mark of a release. `tests/unit/sdk/contracts` has what each version could read.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

CONTRACT = 2
"""The version that this release speaks; it reads all that came before."""


@dataclass(frozen=True)
class Since:
    """Annotates a field of `AttemptConfig`, at any depth, that came with a version, or these values of it."""

    version: int
    values: tuple[Any, ...] = ()
    """Only these; none: whatever differs from the default."""
    beyond: str = ""
    """A regular expression of texts that could be said before: only what it does not match is newer."""

    def covers(self, given: Any) -> bool:
        """Whether a value takes this version to be read."""
        if self.beyond and isinstance(given, str) and re.search(self.beyond, given):
            return False
        return not self.values or given in self.values


@dataclass(frozen=True)
class Need:
    """What takes a version to be read."""

    version: int
    path: str
    """In the configuration, for example `training.optimizer.name`."""


def version_needed(config: BaseModel) -> Need:
    """The version that it takes to read a configuration, and a field for which it does; version 1 for no field."""
    return max(_needs(config, path=()), key=lambda need: need.version, default=Need(1, ""))


def _needs(value: Any, *, path: tuple[str, ...]) -> Iterator[Need]:
    if isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _needs(item, path=(*path[:-1], f"{path[-1]}[{index}]"))
    if not isinstance(value, BaseModel):
        return
    for name, field in type(value).model_fields.items():
        given, where = getattr(value, name), (*path, field.alias or name)
        if not field.is_required() and given == field.get_default(call_default_factory=True, validated_data=dict(value)):
            continue
        marks = (mark for mark in field.metadata if isinstance(mark, Since))
        yield from (Need(mark.version, ".".join(where)) for mark in marks if mark.covers(given))
        yield from _needs(given, path=where)
