"""What the two sessions of `python -m tests.e2e` have in common: when they began, and which files they have run."""

import os
from datetime import UTC, datetime
from pathlib import Path

VARIABLE = "TRAININGRUN_E2E_RECORD"
"""Names the file; without it a session has begun when its operator was installed, and knows of its own files only."""


def begin(path: Path) -> dict[str, str]:
    """Begin a record; returns the variable that sessions inherit."""
    path.write_text(f"{datetime.now(UTC).isoformat()}\n")
    return {VARIABLE: str(path)}


def add(files: set[str]) -> None:
    """These files are run."""
    path = os.environ.get(VARIABLE)
    if path is not None and files:
        with open(path, "a") as record:
            record.write("".join(f"{name}\n" for name in sorted(files)))


def read() -> tuple[str | None, set[str]]:
    """When the first session began, in UTC, and the files that have been run so far; None where there is no record."""
    path = os.environ.get(VARIABLE)
    if path is None:
        return None, set()
    began, *files = Path(path).read_text().splitlines()
    return began, set(files)
