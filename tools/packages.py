"""`python -m tools.packages NAME=FILE ...`: install the Debian packages whose files are missing, all in one transaction."""

import sys

from cluster.errors import ClusterError
from cluster.packages import ensure


def main(arguments: list[str]) -> int:
    """Return the exit code: 0, or 1 after a sentence on standard error."""
    try:
        ensure(dict(argument.split("=", 1) for argument in arguments), needed_by="This")
    except ClusterError as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
