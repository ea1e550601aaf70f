"""`python3 -m tools.suite`: run the stages that are named, or all, and say where the time has gone."""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType

from tools.suite import failures, records, table
from tools.suite.running import Outcome, Suite
from tools.suite.stages import STAGES

FOLDER = Path(__file__).parent.parent.parent / "build" / "suite"
CLUSTER_VARIABLES = ("CLUSTER_NAME", "TEST_CLUSTER_NAME")
"""What the Makefile calls its cluster, and that of its tests."""
TIMES_VARIABLE = "TRAININGRUN_TEST_TIMES"
INTERVAL = 30.0
SHOWN_LINES = 300
_CLOSING = re.compile(r"=+ .* in \d+(\.\d+)?s.* =+")
"""The last line of pytest."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the suite; returns 0 when all has passed, 1 when a stage has failed, 130 when it was interrupted."""
    parser = argparse.ArgumentParser(prog="python3 -m tools.suite", description=__doc__)
    parser.add_argument("stage", nargs="*", metavar="STAGE", help=f"one of {', '.join(stage.name for stage in STAGES)}")
    parser.add_argument("--cluster", required=True, help="name of the cluster that is made for it, and removed at the end")
    options = parser.parse_args(arguments)
    unknown = set(options.stage) - {stage.name for stage in STAGES}
    if unknown:
        parser.error(f"there is no stage {', '.join(sorted(unknown))}")
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    for number in (
        signal.SIGINT,
        signal.SIGTERM,
    ):  # also where a shell has started this in the background, and SIGINT is ignored
        signal.signal(number, _interrupt)
    try:
        return _run(options.stage, cluster=options.cluster)
    except KeyboardInterrupt:
        print("Interrupted: the stages have been ended.", flush=True)
        return 130
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        subprocess.run(["make", "cluster-down"], env={**os.environ, **_cluster(options.cluster)}, check=False)


def _cluster(name: str) -> dict[str, str]:
    return dict.fromkeys(CLUSTER_VARIABLES, name)


def _run(names: Sequence[str], *, cluster: str) -> int:
    started = time.monotonic()
    suite = Suite(
        stages=[stage for stage in STAGES if not names or stage.name in names],
        command=lambda stage: ["make", stage.name],
        folder=FOLDER,
        tell=_tell,
        environment={**_cluster(cluster), TIMES_VARIABLE: str(FOLDER / "{stage}.jsonl"), "PYTHONUNBUFFERED": "1"},
    )

    def tell_running(ages: Mapping[str, float]) -> None:
        running = ", ".join(f"{name} for {seconds:.0f} s" for name, seconds in ages.items())
        print(f"    {time.monotonic() - started:.0f} s: {running or 'between two stages'}", flush=True)

    order = [stage.name for stage in STAGES]
    outcomes = sorted(suite.run(interval=INTERVAL, on_interval=tell_running), key=lambda each: order.index(each.stage.name))
    tests = {outcome.stage.name: records.read(FOLDER, outcome.stage.name) for outcome in outcomes}
    print(f"\n{table.of_stages(outcomes, tests)}\n")
    print(f"{table.of_slowest(test for times in tests.values() for test in times)}\n")
    return _verdict(outcomes, wanted=len(suite.stages), seconds=time.monotonic() - started)


def _verdict(outcomes: Sequence[Outcome], *, wanted: int, seconds: float) -> int:
    failed = [outcome for outcome in outcomes if not outcome.has_passed]
    if not failed:
        print(f"=== all {wanted} stages passed after {seconds:.0f} s", flush=True)
        return 0
    for outcome in failed:
        reasons = failures.told(outcome.log.read_text(errors="replace"))
        name = outcome.stage.name
        print("\n".join([f"=== {name} has failed. Just that again: make {name}", *reasons]), flush=True)
    return 1


def _tell(outcome: Outcome) -> None:
    """Of a stage that has passed pytest's own last lines, of one that has failed the end of all that it has printed."""
    lines = outcome.log.read_text(errors="replace").splitlines()
    name, seconds = outcome.stage.name, outcome.seconds
    if outcome.has_passed:
        said = [line for line in lines if _CLOSING.fullmatch(line)]
        print("\n".join([f"=== {name} passed after {seconds:.0f} s", *said]), flush=True)
        return
    said = lines[-SHOWN_LINES:]
    head = f"=== {name} failed after {seconds:.0f} s with exit code {outcome.code}; its whole output is {outcome.log}"
    print("\n".join([head, *said, f"=== end of {name}"]), flush=True)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
