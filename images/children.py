"""Programs that end with the process that started them, however it ends. Standard library only."""

import shutil
from collections.abc import Iterable
from pathlib import Path


def tied(command: Iterable[str | Path]) -> list[str]:
    """The command as the kernel ends it when the thread that started it is gone; as it is where util-linux is missing."""
    words = [str(word) for word in command]
    setpriv = shutil.which("setpriv")
    return words if setpriv is None else [setpriv, "--pdeathsig", "TERM", "--", *words]
