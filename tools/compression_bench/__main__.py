"""Compress each network in each way with each seed, one process after the other, and write docs/benchmarks/compression.json."""

import sys
import time

from tools import measurements
from tools.compression_bench.models import Run, rows, smallest_accepted_row
from tools.compression_bench.runs import COMPRESSIONS, NETWORKS, PRUNED_INT8, run
from tools.measurements import Row

SEEDS = (1, 2, 3)


def main() -> int:
    """Measure, print and write."""
    found: list[Row] = []
    for network in NETWORKS:
        runs: list[Run] = []
        results: list[Run] = []
        for seed in SEEDS:
            for compression in COMPRESSIONS:
                runs.append(_run(network, compression, seed))
                if compression is PRUNED_INT8:
                    results.append(runs[-1])
        found += [*rows(network, runs), smallest_accepted_row(network, results)]
    print(measurements.write("compression", found, ratios=_ratios(found), command="make bench-compression"))
    return 0


def _run(network: str, compression: dict[str, object], seed: int) -> Run:
    started = time.monotonic()
    made = run(network, compression=compression, seed=seed)
    print(f"{network}, seed {seed}, {compression}: {time.monotonic() - started:.0f} s", flush=True)
    for model in made.models:
        print(
            f"  {model.name}: accuracy {model.accuracy:.4f}, {made.times_smaller(model):.1f} times smaller after gzip"
            f"{', accepted' if model.is_accepted else ''}",
            flush=True,
        )
    return made


def _ratios(found: list[Row]) -> dict[str, float]:
    """How many times smaller a run's result is, in the median over the seeds: of each network, and of the worse of them."""
    medians = {row["name"].partition(":")[0]: row["median"] for row in found if "smallest that is accepted" in row["name"]}
    each = {f"{network}_dense_over_smallest_accepted_size": ratio for network, ratio in medians.items()}
    return {"dense_over_smallest_accepted_size": min(medians.values()), **each}


if __name__ == "__main__":
    sys.exit(main())
