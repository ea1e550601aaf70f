"""Python runs this before the agent, in the played image only: a worker that is to be hostile is no agent at all."""

import os

if "PLAYED_HOSTILE" in os.environ:
    from tests.rank import hostile

    hostile.main()
