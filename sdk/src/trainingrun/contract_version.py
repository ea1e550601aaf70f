"""Versions of the contract: an image may be older than the operator, or newer, and either is used or refused by name.

  - A configuration says only what differs from the defaults, and which version it takes to read it.
  - What is added later is marked with `Since`: a field, some values of it, or those beyond what could be said. Without it an
    image of version 1 will do.
  - What a field that is not there means never changes, a field never goes, and nothing that was read is refused: it would mean
    something else to an image of another version. The API may have another default: `MeantBefore` says what an image takes a
    field for that is not there, and the default is then written like any other value.
  - Reports and final records say which version their image speaks; those that do not say it speak 1.

`CONTRACT` grows with the first mark of a release. `tests/unit/sdk/contracts` has what each version could read.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

Wire = dict[str, Any]

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
class MeantBefore:
    """Annotates a field whose default in the API is newer: what it means in a configuration that does not say it."""

    value: Any


@dataclass(frozen=True)
class Need:
    """What takes a version to be read."""

    version: int
    path: str
    """In the configuration, for example `training.optimizer.name`."""
    instead: str = ""
    """What an older image takes the field for, where leaving it out of a spec means something else."""


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
        yield from _needs(given, path=where)
        marks = [mark for mark in field.metadata if isinstance(mark, Since) and mark.covers(given)]
        if marks and not _means_nothing_new(field, given, of=value):
            yield from (Need(mark.version, ".".join(where), instead=_in_words(field)) for mark in marks)


def _means_nothing_new(field: FieldInfo, given: Any, *, of: BaseModel) -> bool:
    """Whether a field is as it would be if nobody had said it."""
    before = meant_before(field)
    if before is None and not field.is_required():
        before = MeantBefore(field.get_default(call_default_factory=True, validated_data=dict(of)))
    return before is not None and given == before.value


def _in_words(field: FieldInfo) -> str:
    before = meant_before(field)
    return str(before.value) if before is not None else ""


def meant_before(field: FieldInfo) -> MeantBefore | None:
    """The mark of a field."""
    return next((mark for mark in field.metadata if isinstance(mark, MeantBefore)), None)


def told(value: BaseModel, sparse: Wire) -> Wire:
    """The JSON of a value without its defaults, as a reader of any version takes it: see `MeantBefore`."""
    said = dict(sparse)
    for name, field in type(value).model_fields.items():
        given, alias, before = getattr(value, name), field.alias or name, meant_before(field)
        if before is not None:
            said.pop(alias, None)
            said |= {} if given == before.value else value.model_dump(mode="json", by_alias=True, include={name})
        elif isinstance(given, BaseModel):
            inner = told(given, said.pop(alias, {}))
            said |= {alias: inner} if inner or not isinstance(field.default, BaseModel) else {}
        elif isinstance(given, tuple) and alias in said:
            pairs = zip(given, said[alias], strict=True)
            said[alias] = [told(each, wire) if isinstance(each, BaseModel) else wire for each, wire in pairs]
    return said


def heard(model: type[BaseModel], wire: Any) -> Any:
    """JSON with what it means by what it does not say, where that is not the default; what is no JSON object stays as it is."""
    if not isinstance(wire, dict):
        return [heard(model, each) for each in wire] if isinstance(wire, list) else wire
    filled = dict(wire)
    for name, field in model.model_fields.items():
        alias, before = field.alias or name, meant_before(field)
        key = name if name in wire else alias
        inner = next(models_in(field.annotation), None)
        if before is not None:
            filled.setdefault(key, before.value)
        elif inner is not None and key in wire:
            filled[key] = heard(inner, wire[key])
        elif inner is not None and isinstance(field.default, BaseModel):
            filled |= {key: meant} if (meant := heard(inner, {})) else {}
    return filled


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models in an annotation, however it is made."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from models_in(inner)
