"""What is printed about mutants: a line for each, and a table at the end that a page can take over."""

from collections import Counter
from collections.abc import Sequence

from tests.mutants.trial import Verdict

_WORDS = 160
"""Characters of what a test has said."""
_HEAD = "| area | mutant | what goes wrong | stage | noticed by |\n|---|---|---|---|---|"


def progress(verdict: Verdict, *, number: int, of: int) -> str:
    """One line, when a mutant has been tried."""
    said = f": {verdict.words[:_WORDS]}" if verdict.words else ""
    return f"[{number}/{of}] {verdict.kind} {verdict.mutant.name} ({verdict.seconds:.0f} s) {verdict.by}{said}"


def summary(verdicts: Sequence[Verdict], *, seconds: float) -> str:
    """All mutants by area, and how many of them were noticed."""
    ordered = sorted(verdicts, key=lambda verdict: verdict.mutant.area)
    counts = Counter(verdict.kind for verdict in verdicts)
    rows = "\n".join(_row(verdict) for verdict in ordered)
    kinds = ", ".join(f"{counts[kind]} {kind}" for kind in ("noticed", "survived", "broken") if counts[kind])
    return f"\n{_HEAD}\n{rows}\n\n{kinds}, after {seconds:.0f} s"


def _row(verdict: Verdict) -> str:
    mutant = verdict.mutant
    by = verdict.by.partition("[")[0].rpartition("/")[2]
    if verdict.kind != "noticed":
        by = f"**{verdict.kind}** {verdict.by}".replace("\n", " ").strip()
    return f"| {mutant.area} | {mutant.name} | {mutant.why} | {mutant.stage} | {by} |"
