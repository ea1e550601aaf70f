"""A rank that leaves a process behind in its group, says its number, and ends as it is told or lives on."""

import os
import signal
import subprocess
import sys

from trainingrun_trainer import messages

if __name__ == "__main__":
    left = subprocess.Popen(
        [sys.executable, "-c", "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.pause()"]
    )
    words = messages.failure(exit_code=1, cause="RankFailed", text=str(left.pid), hint="")
    messages.Reporter.from_environment().send(words)
    match os.environ["PARTING"]:
        case "lives":
            signal.pause()
        case "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case code:
            os._exit(int(code))
