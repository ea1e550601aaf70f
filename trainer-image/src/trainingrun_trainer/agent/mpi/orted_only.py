"""What sshd runs whatever it was asked for: Open MPI's daemon with the arguments of mpirun, without a shell.

A script that imports nothing of ours: it starts in a few milliseconds, in an environment that knows none of our paths.
"""

import os
import shlex
import sys

if __name__ == "__main__":
    words = shlex.split(os.environ.get("SSH_ORIGINAL_COMMAND", ""))
    if not words or words[0] != "orted":
        sys.exit("This door is for Open MPI's orted only.")
    os.execvp(words[0], words)
