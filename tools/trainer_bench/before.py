"""This checkout beside an older one, by turns: `make bench-before BEFORE=folder` writes before.json.

The older checkout has its own environments (`make .venv-trainer/ready` in it). Each measurement is a process; who
begins changes from round to round, so that what else the machine does meets both alike.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tools import measurements
from tools.trainer_bench import sets

ROOT = Path(__file__).parent.parent.parent
SIDE = Path(__file__).parent / "side.py"
ROUNDS = 3
TIMEOUT = 900.0
EPOCHS = ("mlp", "cnn", "mobilenet")
RUNS = ("digits, cnn", "digits, mlp, compressed, two ranks", "csv", "npz", "folders", "records")


def main(before: Path) -> int:
    """Measure both in turn, print and write."""
    seen: dict[str, dict[str, list[float]]] = {}
    with tempfile.TemporaryDirectory(prefix="trainingrun-bench-", dir="/var/tmp") as folder:
        sets.write(Path(folder))
        parts = [*((name,) for name in EPOCHS), *(("run", name, folder) for name in RUNS)]
        for turn in range(ROUNDS):
            for part in parts:
                for side in ("before", "now") if turn % 2 == 0 else ("now", "before"):
                    for name, value in _measured(before if side == "before" else ROOT, part).items():
                        seen.setdefault(name, {"before": [], "now": []})[side].append(value)
                        print(f"{turn} {name}, {side}: {value:.4g}", flush=True)
    rows = [measurements.row(name, side, values) for name, sides in seen.items() for side, values in sides.items()]
    ratios = {f"{name}, now over before": _ratio(sides) for name, sides in seen.items()}
    print(measurements.write("before", rows, ratios=ratios, command="make bench-before"))
    return 0


def _measured(checkout: Path, part: tuple[str, ...]) -> dict[str, float]:
    """Numbers by name, of a process of that checkout."""
    command = [str(checkout / ".venv-trainer" / "bin" / "python"), "-P", str(SIDE), *part]
    variables = {**os.environ, "PYTHONPATH": str(checkout), "TF_CPP_MIN_LOG_LEVEL": "2"}
    done = subprocess.run(command, cwd=checkout, env=variables, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{part[0]} of {checkout} failed: {done.stderr[-2000:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _ratio(sides: dict[str, list[float]]) -> float:
    """The median over the rounds of what now takes over what it took before in the same round."""
    return statistics.median(now / before for before, now in zip(sides["before"], sides["now"], strict=True))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))
