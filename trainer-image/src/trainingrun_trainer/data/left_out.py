"""What of a folder is no sample: counted by kind, with examples, so that nothing is missing without a word."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

MOST_KINDS = 20
"""The rarer kinds are counted together."""
OTHERS = "files with other endings"

EXAMPLES = 3
_ENDING = re.compile(r"\.[a-z0-9]{1,8}$")


@dataclass(frozen=True, order=True)
class LeftOut:
    """Things of one kind, which is a noun in the plural."""

    kind: str
    count: int
    examples: tuple[str, ...]
    """Some of their names, relative to the data source."""

    def __str__(self) -> str:
        such = f" (such as {', '.join(self.examples)})" if self.examples else ""
        return f"{self.count:,} {self.kind}{such}"


class Tally:
    """Counts what one rank leaves out."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._examples: dict[str, list[str]] = {}

    def add(self, kind: str, name: str) -> None:
        """Count one thing."""
        if kind not in self._counts and len(self._counts) >= 5 * MOST_KINDS:
            kind = OTHERS
        self._counts[kind] += 1
        examples = self._examples.setdefault(kind, [])
        if len(examples) < EXAMPLES:
            examples.append(name)

    def left_out(self) -> tuple[LeftOut, ...]:
        """All that was counted."""
        return tuple(LeftOut(kind, count, tuple(self._examples[kind])) for kind, count in self._counts.items())


def kind_of_file(name: str) -> str:
    """What a file that is no sample is counted as."""
    found = _ENDING.search(name.lower())
    if found is None:
        return OTHERS if "." in name else "files without an ending"
    return f"files ending in {found[0]}"


def added_up(shares: Iterable[Iterable[LeftOut]]) -> tuple[LeftOut, ...]:
    """What all ranks have left out, the most first; the same on all of them."""
    counts: Counter[str] = Counter()
    examples: dict[str, list[str]] = {}
    for share in shares:
        for each in share:
            counts[each.kind] += each.count
            examples.setdefault(each.kind, []).extend(each.examples)
    ordered = sorted(counts, key=lambda kind: (kind == OTHERS, -counts[kind], kind))
    kept = [kind for kind in ordered if kind != OTHERS][:MOST_KINDS]
    found = [LeftOut(kind, counts[kind], tuple(sorted(examples[kind])[:EXAMPLES])) for kind in kept]
    others = [kind for kind in ordered if kind not in kept]
    if others:
        such = sorted(name for kind in others for name in examples[kind])
        found.append(LeftOut(OTHERS, sum(counts[kind] for kind in others), tuple(such[:EXAMPLES])))
    return tuple(found)
