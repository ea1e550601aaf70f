"""`python3 -m cluster.kind`: build kind's node image."""

import sys

from cluster import ClusterError
from cluster.kind import node_image
from images.cache import cache_folder


def main() -> int:
    """Build it unless it has been built, and print its name; returns 0, or 1 after a sentence on standard error."""
    try:
        print(node_image.ensure(cache_folder()))
    except ClusterError as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
