"""What mpirun takes for a rank: it hands the rank's place to the agent of its pod, and stays until the agent is done.

A script that imports nothing of ours: it starts in a few milliseconds, in an environment that knows none of our paths.
"""

import json
import os
import socket
import sys

PREFIXES = ("OMPI_", "ORTE_", "PMIX_")


def main() -> None:
    """Tell the agent the place, and wait for the end of the connection."""
    place = {name: value for name, value in os.environ.items() if name.startswith(PREFIXES)}
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(os.environ["TRAININGRUN_MPI_SOCKET"])
        connection.sendall(json.dumps(place).encode() + b"\n")
        connection.recv(1)


if __name__ == "__main__":
    main()
    sys.exit(0)
