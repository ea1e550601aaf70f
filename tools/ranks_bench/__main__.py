"""Train and prune with each optimizer on each number of ranks with each seed, and write docs/benchmarks/ranks.json."""

import statistics
import sys
import time

from tools import measurements
from tools.measurements import Row
from tools.ranks_bench.runs import OPTIMIZERS, Accuracies, run

RANKS = (1, 2, 8, 16)
SEEDS = (1, 2, 3)


def main() -> int:
    """Measure, print and write."""
    found: list[Row] = []
    lost: dict[str, float] = {}
    for optimizer in OPTIMIZERS:
        runs = {ranks: [_run(optimizer, ranks, seed) for seed in SEEDS] for ranks in RANKS}
        for stage in ("trained", "pruned"):
            found += [_row(f"{optimizer}, {stage}", ranks, accuracies(runs[ranks], stage)) for ranks in RANKS]
            lost[f"{optimizer.lower()}_{stage}_points_lost_on_{RANKS[-1]}_ranks"] = points_lost(runs, stage)
    print(measurements.write("ranks", found, ratios=lost, command="make bench-ranks"))
    return 0


def accuracies(runs: list[Accuracies], stage: str) -> list[float]:
    """Those after a stage: trained or pruned."""
    return [getattr(each, stage) for each in runs]


def points_lost(runs: dict[int, list[Accuracies]], stage: str) -> float:
    """Points of accuracy that the most ranks have lost against one rank, in the median over the seeds."""
    one, most = (statistics.median(accuracies(runs[ranks], stage)) for ranks in (RANKS[0], RANKS[-1]))
    return 100 * (one - most)


def _run(optimizer: str, ranks: int, seed: int) -> Accuracies:
    started = time.monotonic()
    made = run(optimizer=optimizer, ranks=ranks, seed=seed)
    seconds = time.monotonic() - started
    print(
        f"{optimizer} on {ranks} ranks, seed {seed}: {made.trained:.4f}, pruned {made.pruned:.4f}, in {seconds:.0f} s",
        flush=True,
    )
    return made


def _row(name: str, ranks: int, values: list[float]) -> Row:
    return measurements.row(name, f"accuracy on {ranks} rank{'s' if ranks > 1 else ''}", values, digits=4)


if __name__ == "__main__":
    sys.exit(main())
