"""Run other programs, and turn their failures into sentences."""

import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from cluster.errors import ClusterError


def run(
    command: Iterable[str | Path],
    *,
    timeout: float = 60,
    stdin: str | None = None,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    check: bool = True,
) -> str:
    """Run a command and return what it printed; `timeout` is in seconds.

    Raises ClusterError with the command and its last words when it is missing, fails or takes too long. With `check` off,
    a command that fails returns what it printed.
    """
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            env=environment,
            cwd=folder,
            check=False,
        )
    except FileNotFoundError as missing:
        raise ClusterError(f"The program {words[0]} is not installed.") from missing
    except subprocess.TimeoutExpired as late:
        raise ClusterError(f"`{' '.join(words)}` took longer than {timeout:.0f} s.") from late
    if check and done.returncode != 0:
        raise ClusterError(f"`{' '.join(words)}` failed: {last_lines(done.stderr or done.stdout)}")
    return done.stdout


def succeeds(command: Iterable[str | Path], *, timeout: float) -> bool:
    """Whether a command ends well within `timeout` seconds."""
    try:
        done = subprocess.run([str(word) for word in command], capture_output=True, timeout=timeout, check=False)
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def last_lines(text: str, *, count: int = 5) -> str:
    """The last lines of a text that say something."""
    return "\n".join([line for line in text.splitlines() if line.strip()][-count:])
