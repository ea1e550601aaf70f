"""What the played image has as `trainingrun_trainer.rank`: the agent, which is the real one, starts it like any other."""

import sys

from tests.rank.play import main

if __name__ == "__main__":
    sys.exit(main())
