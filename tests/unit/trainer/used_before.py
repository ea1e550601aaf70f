"""What a server has used when it starts to fork, and no child may remember."""

import os
import random
import signal
import tempfile

random.seed(1)
tempfile.gettempdir()
os.environ["LEFT_BEHIND"] = "by an import"
signal.signal(signal.SIGUSR2, signal.SIG_IGN)
