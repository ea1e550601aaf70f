"""Make a changed object follow the rules that it breaks, as a user does who reads the API server's answer.

A rule names fields and the texts that it compares with. So that is what is tried, one thing at a time: remove a field that the
rule mentions, or give it a value that the rule or the schema names. What was changed on purpose stays. Nothing here knows a
rule, so one that is added is followed by itself, or its changes are refused.
"""

import copy
from collections.abc import Iterable, Iterator
from typing import Any

from tests.crd.admission import Crd, RefusedError, Schema
from tests.crd.cel import Path, Rule
from tests.crd.values import Change, Place

TRIES = 8
"""How many broken rules are mended before the change is given up."""
_GONE = object()


def changed(crd: Crd, root: Place, manifest: Schema, changes: Iterable[Change], *, tries: int = TRIES) -> Schema:
    """The manifest with these changes, and without what they contradict. Whether it is valid is for the admission to say."""
    made, fixed = copy.deepcopy(manifest), set[Path]()
    for change in changes:
        _set(made, root, change.path, change.value)
        fixed = {path for path in fixed if _is_there(made, path)} | {change.path}
    for _ in range(tries):
        try:
            stored = crd.defaulted(made)
            crd.require_valid(stored)
        except RefusedError:
            break
        broken = next(crd.broken_rules(stored), None)
        mended = _mended(made, crd, root, *broken, fixed=fixed) if broken is not None else None
        if mended is None:
            break
        made = mended
    return made


def _set(target: Any, place: Place, path: Path, value: Any) -> None:
    """Set a field, and what has to be around it; other fields that cannot be beside it go."""
    name, *rest = path
    if isinstance(target, list):
        _set(target[int(name)], place.item, tuple(rest), value)
        return
    for group in place.alternatives:
        if name in group:
            for other in group - {name}:
                target.pop(other, None)
    if not rest:
        target[name] = copy.deepcopy(value)
        return
    if not isinstance(target.get(name), dict | list):
        target[name] = place.fields[name].least()
    _set(target[name], place.fields[name], tuple(rest), value)


def _is_there(target: Any, path: Path) -> bool:
    for name in path:
        if name not in target and not (isinstance(target, list) and int(name) < len(target)):
            return False
        target = target[int(name)] if isinstance(target, list) else target[name]
    return True


def _remove(target: Any, path: Path) -> bool:
    """Remove a field; returns whether it was there."""
    *before, last = path
    for name in before:
        target = target[int(name)] if isinstance(target, list) else target.get(name)
        if target is None:
            return False
    return target.pop(last, None) is not None


def _mended(manifest: Schema, crd: Crd, root: Place, path: Path, rule: Rule, *, fixed: set[Path]) -> Schema | None:
    """The manifest with one change at this path after which it follows the rule; None when none is found."""
    here = root.at(path)
    assert here is not None, "the rule is in the schema"
    for place in sorted(rule.paths, key=len, reverse=True):
        field = here.at(place)
        where = (*path, *place)
        if field is None or any(each[: len(where)] == where for each in fixed):
            continue
        for value in _values(field):
            tried = copy.deepcopy(manifest)
            if value is not _GONE:
                _set(tried, root, where, value)
            elif not _remove(tried, where):
                continue
            if all(_is_there(tried, each) for each in fixed) and _follows(crd, tried, path, rule):
                fixed |= {where} if value is not _GONE else set()
                return tried
    return None


def _values(field: Place) -> Iterator[Any]:
    yield _GONE
    yield field.least()
    match field.schema.get("type"):
        case "string" | None:
            yield from field.known
        case "number":
            yield from field.numbers
        case "integer":
            least = field.schema.get("minimum", 1)
            yield from (least + 1, 2, 4, 8)
        case "array":
            texts = field.item.known
            yield from ([*texts[start : start + max(1, field.schema.get("minItems", 1))]] for start in range(len(texts)))


def _follows(crd: Crd, manifest: Schema, path: Path, rule: Rule) -> bool:
    try:
        stored = crd.defaulted(manifest)
        crd.require_valid(stored)
    except RefusedError:
        return False
    found: Any = stored
    for name in path:
        found = found[int(name)] if isinstance(found, list) else found.get(name)
        if found is None:
            return True  # a rule about something that is not there any more
    return rule.holds(found)
