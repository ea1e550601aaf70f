"""A rank that says why it has failed, and then does not end: as one whose gang is gone while it shuts down."""

import signal

from trainingrun_trainer import messages

if __name__ == "__main__":
    messages.Reporter.from_environment().send(messages.failure(exit_code=70, cause="OutputFailed", text="No space.", hint=""))
    signal.pause()
