"""An agent whose ranks have a defect: the module with it is the only argument."""

import sys
from functools import partialmethod

from trainingrun_trainer import __main__ as agent
from trainingrun_trainer.agent import worker

if __name__ == "__main__":
    worker.Worker.__init__ = partialmethod(worker.Worker.__init__, module=sys.argv[1])  # type: ignore[assignment,method-assign]  # see above
    sys.exit(agent.main())
