"""What sshd runs whatever it was asked for: Open MPI's daemon with the arguments of mpirun, without a shell.

A script that imports nothing of ours: it starts in a few milliseconds, in an environment that knows none of our paths.
"""

import os
import shlex
import sys

DAEMON = "orted"


def daemon(command: str) -> list[str]:
    """The words of the daemon in what mpirun asks for; none when it is not there.

    For a user whose shell is not bash mpirun asks for `( test ! -r ./.profile || . ./.profile; orted ... )`.
    """
    words = shlex.split(command)
    if DAEMON not in words:
        return []
    start = words.index(DAEMON)
    return words[start:-1] if words[-1] == ")" else words[start:]


def main() -> None:
    """Become the daemon."""
    words = daemon(os.environ.get("SSH_ORIGINAL_COMMAND", ""))
    if not words:
        sys.exit(f"This door is for Open MPI's {DAEMON} only.")
    os.execvp(words[0], words)


if __name__ == "__main__":
    main()
