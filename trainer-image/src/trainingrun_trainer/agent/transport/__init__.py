"""What makes the ranks of all workers one Horovod job, behind one small protocol: Gloo, or Open MPI."""

from contextlib import AbstractContextManager
from typing import Protocol

from trainingrun.api import StrategyType
from trainingrun.api import Transport as Kind
from trainingrun.contract import AttemptConfig
from trainingrun_trainer.agent.logbook import Logbook
from trainingrun_trainer.agent.rendezvous import Board
from trainingrun_trainer.agent.transport.gloo import Gloo
from trainingrun_trainer.agent.transport.mpi import Mpi
from trainingrun_trainer.agent.verdict import Verdict
from trainingrun_trainer.settings import Settings


class Transport(Protocol):
    """One worker's part in it."""

    def environment(self, local_rank: int) -> dict[str, str]:
        """The variables that a rank of this worker is started with, once it is opened."""

    def opened(self) -> AbstractContextManager[None]:
        """Do what it takes beside the ranks, for as long as the context lasts. The ranks are started within."""

    def failure(self) -> Verdict | None:
        """Why the gang cannot go on, as far as the transport knows."""


def transport(config: AttemptConfig, *, settings: Settings, board: Board, logbook: Logbook) -> Transport:
    """The one that the run asks for. Without Horovod there is nothing to carry, and Gloo does nothing by itself."""
    if config.transport is Kind.MPI and config.strategy is StrategyType.HOROVOD:
        return Mpi(config, settings=settings, board=board, logbook=logbook)
    return Gloo(config, worker=settings.worker, board=board)
