"""The environment that makes N processes one Horovod job. Pure.

Source: `horovod/runner/gloo_run.py` (`create_slot_env_vars`) and `horovod/common/gloo/gloo_context.cc` of Horovod 0.28.1.
"""

from collections.abc import Mapping

from trainingrun.contract import AttemptConfig

GLOO_TIMEOUT_SECONDS = 600
CYCLE_MILLISECONDS = 0.1
"""How long Horovod collects gradients before it exchanges them. Its own 1 ms is longer than a step of a small network takes."""


def rank_environment(
    config: AttemptConfig, *, worker: int, local_rank: int, hostname: str, host: str, port: int
) -> Mapping[str, str]:
    """Variables of one rank: `local_rank` of `worker`, which finds the store at `host:port`.

    `hostname` must be another one in every worker: it names the scope in which the ranks of one pod meet.
    """
    processes = config.processes_per_worker
    return {
        "HOROVOD_CONTROLLER": "gloo",
        "HOROVOD_CPU_OPERATIONS": "gloo",
        "HOROVOD_GLOO_RENDEZVOUS_ADDR": host,
        "HOROVOD_GLOO_RENDEZVOUS_PORT": str(port),
        "HOROVOD_CYCLE_TIME": str(CYCLE_MILLISECONDS),
        "HOROVOD_GLOO_TIMEOUT_SECONDS": str(GLOO_TIMEOUT_SECONDS),
        "HOROVOD_HOSTNAME": hostname,
        "HOROVOD_RANK": str(worker * processes + local_rank),
        "HOROVOD_SIZE": str(config.world_size),
        "HOROVOD_LOCAL_RANK": str(local_rank),
        "HOROVOD_LOCAL_SIZE": str(processes),
        "HOROVOD_CROSS_RANK": str(worker),
        "HOROVOD_CROSS_SIZE": str(config.replicas),
    }
