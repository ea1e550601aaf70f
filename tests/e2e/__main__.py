"""`make e2e`: what can run side by side does, then what needs the cluster for itself. Options are pytest's.

Every module has a namespace of its own. So only those tests are kept apart that stop or replace the operators, or judge them.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.e2e import record
from tests.patience import stretch

SIDE_BY_SIDE = ("-m", "not long and not alone", "-n", "3", "--dist", "loadfile", "--no-loadscope-reorder")
"""Three, because those that train fill two processors, and the others wait for the cluster."""
ALONE = ("-m", "not long and alone")


def main(options: list[str]) -> int:
    """Run both sessions, the second also when the first has failed; returns the exit code of the first that has."""
    stretch()  # once, while nothing runs
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, **record.begin(Path(folder) / "record")}
        codes = [_session([*chosen, *options], environment=environment) for chosen in (SIDE_BY_SIDE, ALONE)]
    return next((code for code in codes if code != 0), 0)


def _session(options: list[str], *, environment: Mapping[str, str]) -> int:
    command = [sys.executable, "-m", "pytest", str(Path(__file__).parent), *options]
    return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
