"""Two ways to tell that nothing went wrong although something did: the end state, and what was created and deleted.

Both compare with runs in which nothing goes wrong. What differs between those by itself (moments, identifiers, addresses) is
masked: the known kinds by their form, the others because the fault-free runs differ in them. The method is that of Sieve
(Sun et al., OSDI 2022).
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.faults.faults import Kind
from tests.faults.proxy import Write

_MASKED_KEYS = frozenset(
    {"uid", "resourceVersion", "creationTimestamp", "managedFields", "clusterIP", "clusterIPs", "goodputPercent"}
)
_MASKS = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)"), "<moment>"),
    (re.compile(r"\b\d\d:\d\d:\d\d\b"), "<time>"),
    (re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "<uid>"),
    (re.compile(r"\b\d{1,3}(\.\d{1,3}){3}\b"), "<address>"),
    (re.compile(r"\b\d+(\.\d+)? s\b"), "<n> s"),
)
_UID_IN_A_NAME = re.compile(r"(-\d+)-[0-9a-f]{8}\b")
"""A ConfigMap is called `<run>-<attempt>-<beginning of the run's UID>`."""
_KEYS_OF_ITEMS = ("type", "name", "kind")

Flat = dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """How a try ended, and by which writes."""

    end: Flat
    writes: tuple[Write, ...]
    struck: tuple[Kind, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    """What its run and its namespace are called in every outcome."""

    @property
    def counted(self) -> list[Write]:
        """Writes about the run and its children, in their order."""
        return [write for write in self.writes if write.is_counted]

    @property
    def changes(self) -> Counter[str]:
        """How often each object was created and deleted. To delete the same one again, by its UID, changes nothing."""
        done = [write for write in self.counted if write.is_done]
        created = [self.subject(write) for write in done if write.verb == "POST"]
        deleted = {(self.subject(write), write.body["preconditions"]["uid"]) for write in done if write.verb == "DELETE"}
        return Counter([*created, *(subject for subject, _ in deleted)])

    @property
    def redone(self) -> Counter[str]:
        """Writes that a fault has struck: each may be done once more than without it."""
        return Counter(self.subject(write) for write in self.counted if write.is_struck)

    def subject(self, write: Write) -> str:
        """What a write is about, for example `POST jobs/sample-1`."""
        kind, _, name = write.path.partition("/namespaces/")[2].partition("/")[2].partition("/")
        return _renamed(f"{write.verb} {kind}/{name or write.body['metadata']['name']}", self.names)


def flat(value: Any, *, names: Mapping[str, str], path: str = "") -> Flat:
    """All leaves of a JSON value by their paths, masked; `names` are replaced in paths and texts."""
    return {_renamed(where, names): _masked(leaf, names) for where, leaf in _leaves(value, path)}


def differences(references: Sequence[Outcome], outcome: Outcome) -> list[str]:
    """What an outcome has and the references have not, or the reverse; empty when all is well."""
    return [*_differences_of_ends(references, outcome.end), *_differences_of_changes(references, outcome)]


def _differences_of_ends(references: Sequence[Outcome], end: Flat) -> Iterator[str]:
    first = references[0].end
    for path in sorted(first.keys() | end.keys()):
        known = [reference.end.get(path) for reference in references]
        if len({repr(value) for value in known}) == 1 and end.get(path) != known[0]:
            yield f"at the end {path} is {end.get(path)!r}, and {known[0]!r} without a fault"


def _differences_of_changes(references: Sequence[Outcome], outcome: Outcome) -> Iterator[str]:
    known = [reference.changes for reference in references]
    for subject in sorted(set().union(outcome.changes, *known)):
        counts = {changes[subject] for changes in known}
        if outcome.changes[subject] - outcome.redone[subject] not in counts and outcome.changes[subject] not in counts:
            yield f"{subject} was done {outcome.changes[subject]} times, and {sorted(counts)} without a fault"


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key not in _MASKED_KEYS:
                yield from _leaves("<n>" if key.endswith("Seconds") and ".status" in path else item, f"{path}.{key}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _leaves(item, f"{path}[{_key(item, number)}]")
    else:
        yield path, value


def _key(item: Any, number: int) -> str:
    """Items are told apart by what names them, so that one that is missing does not move the others."""
    parts = [str(item[key]) for key in _KEYS_OF_ITEMS if key in item] if isinstance(item, dict) else []
    return " ".join(parts) or str(number)


def _masked(leaf: Any, names: Mapping[str, str]) -> Any:
    if not isinstance(leaf, str):
        return leaf
    for pattern, mask in _MASKS:
        leaf = pattern.sub(mask, leaf)
    return _renamed(leaf, names)


def _renamed(text: str, names: Mapping[str, str]) -> str:
    for name, other in names.items():
        text = text.replace(name, other)
    return _UID_IN_A_NAME.sub(r"\1-<uid>", text)
