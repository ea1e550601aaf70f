"""An agent whose rank 1 takes part in averaging but does not apply the average, as a framework that bypasses Horovod."""

import sys

from trainingrun_trainer import __main__ as agent
from trainingrun_trainer.agent import ranks, worker

RANK = "tests.unit.trainer.apart_rank"

if __name__ == "__main__":
    ranks.RANK_MODULE = RANK
    worker.Worker.__init__.__kwdefaults__["module"] = RANK
    sys.exit(agent.main())
