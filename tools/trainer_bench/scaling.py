"""Samples per second of 1, 2 and 4 ranks on this machine, and the share of time that the exchange of gradients takes.

`python -m tools.trainer_bench.scaling RANKS NETWORK` prints rows as JSON. On two processors four ranks show the overhead only.
The share is measured by training the same ranks at the same time without the exchange.
"""

import json
import os
import subprocess
import sys
import time
from functools import partial
from typing import Any

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

from tools import measurements
from trainingrun.contract import AttemptConfig
from trainingrun_trainer.agent import rendezvous
from trainingrun_trainer.agent.transport.gloo import rank_environment

ROUNDS = 7
PORT = 29671
TIMEOUT = 300.0


def main(ranks: int, network: str) -> int:
    """Start the ranks and print what rank 0 has measured."""
    from tools.trainer_bench.networks import context
    from trainingrun_trainer.parallel.single import SingleProcess

    config = context(network, SingleProcess()).config.model_copy(update={"processes_per_worker": ranks})
    with rendezvous.serve(rendezvous.Store(), port=PORT):
        processes = [_start(config, rank, network) for rank in range(ranks)]
        try:
            output, _ = processes[0].communicate(timeout=TIMEOUT)
        finally:
            for process in processes:
                process.kill()
                process.wait()
    print(output.splitlines()[-1])
    return 0


def _start(config: AttemptConfig, rank: int, network: str) -> "subprocess.Popen[str]":
    variables = rank_environment(config, worker=0, local_rank=rank, hostname="bench", host="127.0.0.1", port=PORT)
    command = [sys.executable, "-m", "tools.trainer_bench.scaling", "rank", network]
    return subprocess.Popen(
        command, env={**os.environ, **variables}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )


def rank(network: str) -> int:
    """One rank: epochs with and without the exchange, in turn."""
    import tensorflow as tf

    size = int(os.environ["HOROVOD_SIZE"])
    threads = max(1, len(os.sched_getaffinity(0)) // size)
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    from tools.trainer_bench.networks import Subject
    from trainingrun_trainer.parallel.horovod import HorovodGang

    class Apart(HorovodGang):
        """Ranks that agree on everything but their gradients."""

        def sum_gradients(self, gradients: Any) -> list[Any]:
            return list(gradients)

    subject = Subject.of(network)
    together, apart = (_epochs(subject, gang) for gang in (HorovodGang(), Apart()))
    seconds: dict[bool, list[float]] = {True: [], False: []}
    for round_number in range(ROUNDS + 1):
        for exchanges, epoch in ((True, together), (False, apart)):
            started = time.perf_counter()
            epoch()
            if round_number > 0:
                seconds[exchanges].append(time.perf_counter() - started)
    speeds = [len(subject.samples) / value for value in seconds[True]]
    shares = [100 * max(0.0, 1 - without / with_) for with_, without in zip(seconds[True], seconds[False], strict=True)]
    print(
        json.dumps(
            [
                measurements.row(f"{network}: {size} ranks", "images/s", speeds, digits=0),
                measurements.row(f"{network}: {size} ranks, exchange of gradients", "% of time", shares, digits=1),
            ]
        ),
        flush=True,
    )
    return 0


def _epochs(subject: Any, gang: Any) -> Any:
    from tools.trainer_bench.networks import context
    from trainingrun_trainer.stages.calls import CallLength, in_calls
    from trainingrun_trainer.stages.optimizers import Optimizer
    from trainingrun_trainer.stages.plan import epoch_plan
    from trainingrun_trainer.stages.step import training_steps

    surroundings = context(subject.name, gang)
    network, feed, length = subject.network(), subject.feed, CallLength()
    optimizer = Optimizer(surroundings.config.training.optimizer, network.trainable_variables)
    run = training_steps(surroundings, network, optimizer, feed)
    plan = epoch_plan(surroundings, feed, epoch=0)

    def epoch() -> None:
        for _ in in_calls(surroundings, partial(run, plan), feed, plan.shard, first=0, length=length):
            pass

    return epoch


if __name__ == "__main__":
    first, second = sys.argv[1:]
    sys.exit(rank(second) if first == "rank" else main(int(first), second))
