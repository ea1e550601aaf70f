"""Which tests of a stage have failed, and why, in a line each: the last words of a log are those that are read. Pure."""

import re
from collections.abc import Sequence

SHOWN = 20
"""Failed tests of a stage; of one that fails as a whole the others say the same."""
LENGTH = 800
"""Characters of a line. A test that waited in vain ends its sentence with what it has seen last."""
_ENTRY = re.compile(r"(?:FAILED|ERROR) \S+\.py")
"""Of the short summary of pytest, also where several processes have run the tests."""


def told(log: str) -> Sequence[str]:
    """The lines of pytest's short summary, each cut in its middle; none when pytest has not come to it."""
    found = [line for line in log.splitlines() if _ENTRY.match(line)]
    left = len(found) - SHOWN
    return [*map(_cut, found[:SHOWN]), *([f"and {left} more"] if left > 0 else [])]


def _cut(line: str) -> str:
    return line if len(line) <= LENGTH else f"{line[: LENGTH // 2]} [...] {line[-LENGTH // 2 :]}"
