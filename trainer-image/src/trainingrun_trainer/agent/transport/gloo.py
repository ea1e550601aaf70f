"""Gloo: the ranks find each other in worker 0's store, and an environment is all that they need.

Source: `horovod/runner/gloo_run.py` (`create_slot_env_vars`) and `horovod/common/gloo/gloo_context.cc` of Horovod 0.28.1.
"""

import contextlib
import socket
from collections.abc import Iterator

from trainingrun.contract import AttemptConfig
from trainingrun_trainer.agent.rendezvous import Board, serve
from trainingrun_trainer.agent.transport.horovod import horovod_environment

TIMEOUT_SECONDS = 600


class Gloo:
    """See `Transport`. The ranks do all of it."""

    def __init__(self, config: AttemptConfig, *, worker: int, board: Board) -> None:
        self._config = config
        self._worker = worker
        self._board = board
        self._store = (board.host, board.port)

    def environment(self, local_rank: int) -> dict[str, str]:
        """See `Transport`."""
        host, port = self._store
        return rank_environment(
            self._config,
            worker=self._worker,
            local_rank=local_rank,
            hostname=f"{socket.gethostname()}-{self._worker}",
            host=host,
            port=port,
        )

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """See `Transport`. Horovod asks for the store over IPv4 only, so one with an address of IPv6 is relayed."""
        if ":" not in self._board.host:
            yield
            return
        with serve(self._board, port=0) as port:
            self._store = ("127.0.0.1", port)
            yield

    def failure(self) -> None:
        """See `Transport`. A rank that loses another says so itself."""


def rank_environment(
    config: AttemptConfig, *, worker: int, local_rank: int, hostname: str, host: str, port: int
) -> dict[str, str]:
    """Variables of one rank: `local_rank` of `worker`, which finds the store at `host:port`. Pure.

    `hostname` must be another one in every worker: it names the scope in which the ranks of one pod meet.
    """
    processes = config.processes_per_worker
    return {
        **horovod_environment(config),
        "HOROVOD_CONTROLLER": "gloo",
        "HOROVOD_CPU_OPERATIONS": "gloo",
        "HOROVOD_GLOO_RENDEZVOUS_ADDR": host,
        "HOROVOD_GLOO_RENDEZVOUS_PORT": str(port),
        "HOROVOD_GLOO_TIMEOUT_SECONDS": str(TIMEOUT_SECONDS),
        "HOROVOD_HOSTNAME": hostname,
        "HOROVOD_RANK": str(worker * processes + local_rank),
        "HOROVOD_SIZE": str(config.world_size),
        "HOROVOD_LOCAL_RANK": str(local_rank),
        "HOROVOD_LOCAL_SIZE": str(processes),
        "HOROVOD_CROSS_RANK": str(worker),
        "HOROVOD_CROSS_SIZE": str(config.replicas),
    }
