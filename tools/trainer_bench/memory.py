"""Peak memory of one rank: with the digits in memory, and streaming 5 GB of TFRecord files under a limit of 2 GiB.

`python -m tools.trainer_bench.memory` prints rows as JSON. As root on cgroup v1 the limit is real: a group of its own, which is
removed. Elsewhere the trainer is told of the limit, and only the peak is measured.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools import measurements, records
from tools.trainer_bench.networks import DATA, context
from trainingrun.api.base import to_wire
from trainingrun_trainer.parallel.single import SingleProcess

GIGABYTES = 5.0
LIMIT = 2 * 1024**3
GROUP = Path("/sys/fs/cgroup/memory/trainingrun-bench")
STEPS = 400
"""After so many steps the rank has used all it needs, and is told to stop."""
PORT = 29674
TIMEOUT = 600.0
STREAM = {"source": {"persistentVolumeClaim": {"claimName": "bench"}}, "format": "TFRecord"}


def main() -> int:
    """Measure both."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="trainingrun-bench-", dir="/var/tmp") as scratch:
        folder = Path(scratch)
        rows.append(_row("digits in memory", _peak(folder / "one")))
        with contextlib.redirect_stdout(sys.stderr):
            records.main([str(folder / "two" / "data"), "--gigabytes", str(GIGABYTES)])
        with _limited() as group:
            streamed = _peak(folder / "two", group=group, data=STREAM)
        rows.append(_row(f"streaming {GIGABYTES:.0f} GB of TFRecord files under 2 GiB", streamed))
    print(json.dumps(rows))
    return 0


def _row(what: str, peak: float) -> measurements.Row:
    return measurements.row(f"peak memory of a rank: {what}", "MiB", [peak], digits=0)


@contextlib.contextmanager
def _limited() -> Iterator[Path | None]:
    """A control group with the limit, or None where none can be made."""
    try:
        GROUP.mkdir()
        (GROUP / "memory.limit_in_bytes").write_text(str(LIMIT))
    except OSError:
        yield None
        return
    try:
        yield GROUP
    finally:
        GROUP.rmdir()


def _peak(folder: Path, *, group: Path | None = None, **spec: Any) -> float:
    """MiB that the rank has used at most, after many steps."""
    folder.mkdir(parents=True, exist_ok=True)
    config = context("cnn", SingleProcess(), **spec).config
    (folder / "config.json").write_text(json.dumps(to_wire(config)))
    variables = {
        "TRAININGRUN_CONFIG": str(folder / "config.json"),
        "TRAININGRUN_BUILTIN_DATA": str(DATA),
        "TRAININGRUN_DATA_MOUNT": str(folder / "data"),
        "TRAININGRUN_OUTPUT_MOUNT": str(folder / "output"),
        "TRAININGRUN_TERMINATION_MESSAGE": str(folder / "termination"),
        "TRAININGRUN_PROGRESS_PORT": str(PORT),
        "TRAININGRUN_MEMORY_LIMIT": str(LIMIT),
    }
    command = [sys.executable, "-m", "trainingrun_trainer"]
    if group is not None:  # the shell joins the group, and everything that it becomes is in it
        command = ["sh", "-c", f'echo $$ > {group}/cgroup.procs; exec "$@"', "sh", *command]
    agent = subprocess.Popen(command, env={**os.environ, **variables}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for_steps(agent)
        rank = int(Path(f"/proc/{agent.pid}/task/{agent.pid}/children").read_text().split()[0])
        status = Path(f"/proc/{rank}/status").read_text()
    finally:
        agent.send_signal(signal.SIGTERM)
        agent.wait(timeout=90)
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _wait_for_steps(agent: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline and agent.poll() is None:
        with contextlib.suppress(OSError, ValueError):
            reply = urllib.request.urlopen(f"http://127.0.0.1:{PORT}/progress", timeout=5)
            if json.loads(reply.read())["step"] >= STEPS:
                return
        time.sleep(0.5)
    raise RuntimeError(f"the rank has not taken {STEPS} steps; exit code {agent.poll()}")


if __name__ == "__main__":
    sys.exit(main())
