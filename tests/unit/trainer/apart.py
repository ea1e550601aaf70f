"""An agent whose rank 1 takes part in averaging but does not apply the average, as a framework that bypasses Horovod."""

import sys
from functools import partialmethod

from trainingrun_trainer import __main__ as agent
from trainingrun_trainer.agent import worker

RANK = "tests.unit.trainer.apart_rank"

if __name__ == "__main__":
    worker.Worker.__init__ = partialmethod(worker.Worker.__init__, module=RANK)  # type: ignore[assignment,method-assign]  # see above
    sys.exit(agent.main())
