"""What idle ranks cost, and how late their next exchange is: `python -m tools.trainer_bench.idle` with two of them.

Prints rows as JSON. Run by the Python of another environment, it measures that one's Horovod.
"""

import json
import os
import resource
import subprocess
import sys
import time
from typing import Any

from tools import measurements
from tools.measurements import Row

ROUNDS = 3
IDLE_SECONDS = (0.1, 1.0, 20.0)
EXCHANGES = 300


def main() -> int:
    """Start the ranks, and print what rank 0 has seen."""
    from horovod.runner.common.util.hosts import get_host_assignments, parse_hosts
    from horovod.runner.http.http_server import RendezvousServer

    server = RendezvousServer(0)
    port = server.start()
    server.init(get_host_assignments(parse_hosts("localhost:2"), 2))
    ranks = [
        subprocess.Popen([sys.executable, "-m", __spec__.name, "rank"], env=_environment(rank, port=port)) for rank in (0, 1)
    ]
    codes = [rank.wait() for rank in ranks]
    server.stop()
    return max(map(abs, codes))


def _environment(rank: int, *, port: int) -> dict[str, str]:
    horovod = {
        "GLOO_RENDEZVOUS_ADDR": "127.0.0.1",
        "GLOO_RENDEZVOUS_PORT": port,
        "GLOO_IFACE": "lo",
        "CONTROLLER": "gloo",
        "CPU_OPERATIONS": "gloo",
        "HOSTNAME": "localhost",
        "RANK": rank,
        "SIZE": 2,
        "LOCAL_RANK": rank,
        "LOCAL_SIZE": 2,
        "CROSS_RANK": 0,
        "CROSS_SIZE": 1,
    }
    return {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2", **{f"HOROVOD_{name}": str(value) for name, value in horovod.items()}}


def as_rank() -> int:
    """Exchange, be idle, and exchange again, several times."""
    import horovod.tensorflow as hvd
    import tensorflow as tf

    hvd.init()
    seen: dict[tuple[str, str], list[float]] = {}

    def exchange() -> float:
        started = time.perf_counter()
        hvd.allreduce(tf.constant(1.0), name="value")
        return 1000 * (time.perf_counter() - started)

    exchange()
    for _ in range(ROUNDS):
        for idle in IDLE_SECONDS:
            before = _of_processors()
            time.sleep(idle)
            spent = 100 * (_of_processors() - before) / idle
            seen.setdefault((f"idle for {idle:g} s", "% of a processor"), []).append(spent)
            seen.setdefault((f"first exchange after {idle:g} s", "ms"), []).append(exchange())
        several = sum(exchange() for _ in range(EXCHANGES)) / EXCHANGES
        seen.setdefault(("an exchange among many", "ms"), []).append(several)
    if hvd.rank() == 0:
        rows: list[Row] = [measurements.row(name, unit, values, digits=1) for (name, unit), values in seen.items()]
        print(json.dumps(rows))
    hvd.shutdown()
    return 0


def _of_processors() -> float:
    used: Any = resource.getrusage(resource.RUSAGE_SELF)
    return float(used.ru_utime + used.ru_stime)


if __name__ == "__main__":
    sys.exit(as_rank() if sys.argv[1:] == ["rank"] else main())
