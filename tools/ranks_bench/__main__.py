"""Train and prune each network with each optimizer on each number of ranks, and write docs/benchmarks/ranks.json.

`python -m tools.ranks_bench CNN` measures one network, and keeps what was measured of the others.
"""

import json
import statistics
import sys
import time

from tools import measurements
from tools.measurements import Row
from tools.ranks_bench.runs import EPOCHS, OPTIMIZERS, Accuracies, Gang, curve, run

RANKS = (1, 2, 8, 16)
REAL = {"MLP": (2, 4), "CNN": (2,)}
"""Ranks that are processes: what fits two processors."""
SEEDS = {"MLP": (1, 2, 3), "CNN": (1,)}
STAGES = ("trained", "pruned")


def main(*networks: str) -> int:
    """Measure, print and write."""
    wanted = networks or tuple(EPOCHS)
    kept = json.loads((measurements.FOLDER / "ranks.json").read_text())
    found: list[Row] = [row for row in kept["rows"] if not row["name"].startswith(wanted)]
    ratios = {name: value for name, value in kept["ratios"].items() if not name.startswith(tuple(map(str.lower, wanted)))}
    for network in wanted:
        for optimizer in OPTIMIZERS:
            rows, lost = measured(network, optimizer)
            found += rows
            ratios |= lost
        found += [_of_real_ranks(network, ranks) for ranks in REAL[network]]
    print(measurements.write("ranks", found, ratios=ratios, command="make bench-ranks"))
    return 0


def measured(network: str, optimizer: str) -> tuple[list[Row], dict[str, float]]:
    """What a network learns on each number of ranks, and points that the most have lost against one, seed by seed."""
    runs = {ranks: [_run(network, optimizer, Gang(ranks), seed) for seed in SEEDS[network]] for ranks in RANKS}
    rows = [
        measurements.row(f"{network}, {optimizer}, {stage}", _unit(ranks), accuracies(runs[ranks], stage), digits=4)
        for stage in STAGES
        for ranks in RANKS
    ]
    name = f"{network}_{optimizer}".lower()
    lost = {
        f"{name}_{stage}_points_lost_on_{ranks}_ranks": points_lost(runs, stage, ranks)
        for stage in STAGES
        for ranks in RANKS[1:]
    }
    return rows, lost


def accuracies(runs: list[Accuracies], stage: str) -> list[float]:
    """Those after a stage: trained or pruned."""
    return [getattr(each, stage) for each in runs]


def points_lost(runs: dict[int, list[Accuracies]], stage: str, ranks: int) -> float:
    """Points of accuracy that so many ranks have lost against one rank, in the median over the seeds.

    Seeds hold out other samples, which makes more of a difference than ranks: so each is compared with itself.
    """
    pairs = zip(accuracies(runs[1], stage), accuracies(runs[ranks], stage), strict=True)
    return 100 * statistics.median(one - many for one, many in pairs)


def _of_real_ranks(network: str, ranks: int) -> Row:
    """How far the curve of real ranks is from that of one process in their place, by epoch."""
    one, real = (curve(network, gang=Gang(ranks, is_real=is_real)) for is_real in (False, True))
    apart = [100 * abs(left - right) for left, right in zip(one, real, strict=True)]
    return measurements.row(f"{network}, {ranks} processes beside one in their place, Adam", "points apart in an epoch", apart)


def _run(network: str, optimizer: str, gang: Gang, seed: int) -> Accuracies:
    started = time.monotonic()
    made = run(network, optimizer=optimizer, gang=gang, seed=seed)
    seconds = time.monotonic() - started
    print(
        f"{network}, {optimizer} on {gang.ranks} ranks, seed {seed}: {made.trained:.4f}, pruned {made.pruned:.4f}, "
        f"in {seconds:.0f} s",
        flush=True,
    )
    return made


def _unit(ranks: int) -> str:
    return f"accuracy on {ranks} rank{'s' if ranks > 1 else ''}"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
