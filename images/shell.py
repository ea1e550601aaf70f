"""Run builders with their output shown as it comes, and turn failures into sentences."""

import os
import shutil
import subprocess
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from images.children import tied
from images.errors import ImageError
from images.recipe import ROOT

KEPT_LINES = 15


def stream(command: Sequence[str | Path], *, environment: Mapping[str, str] | None = None, quiet: bool = False) -> None:
    """Run a command in the repository, showing its lines indented as they come.

    Raises ImageError with its last lines when it fails, or when the program is missing.
    """
    words = [str(word) for word in command]
    last: deque[str] = deque(maxlen=KEPT_LINES)
    if shutil.which(words[0]) is None:
        raise ImageError(f"The program {words[0]} is not installed.")
    with subprocess.Popen(
        tied(words),
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as child:
        try:
            for line in child.stdout or ():
                last.append(line.rstrip())
                if not quiet:
                    print(f"  {line.rstrip()[:160]}", flush=True)
        except BaseException:
            child.terminate()
            raise
    if child.returncode != 0:
        raise ImageError(f"`{' '.join(words[:4])} ...` failed:\n" + "\n".join(last))


def read(command: Sequence[str]) -> str:
    """What a command prints. Raises ImageError with its complaint when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ImageError(f"`{' '.join(command[:4])} ...` failed: {done.stderr.strip()}")
    return done.stdout


def answers(command: Sequence[str]) -> bool:
    """Whether a command exists and succeeds within ten seconds."""
    try:
        return subprocess.run(command, capture_output=True, timeout=10, check=False).returncode == 0
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return False
