"""Where the study listens, or why it does not: a value in worker 0's store."""

from trainingrun.api.base import Frozen
from trainingrun.contract import Cause, ExitCode
from trainingrun_trainer.errors import TrainerError

PATH = "/tuning/address"


class Refusal(Frozen):
    """A TrainerError on its way to another process."""

    cause: str
    exit_code: int
    message: str
    hint: str

    @property
    def error(self) -> TrainerError:
        """The error that it was."""
        return TrainerError(self.message, cause=Cause(self.cause), exit_code=ExitCode(self.exit_code), hint=self.hint)


class Address(Frozen):
    """Where the study listens, or why it does not: `port` or `refusal` is set."""

    host: str = ""
    """Of worker 0's pod: the coordinator's address is that of a Service, which passes on the port of the store alone."""
    port: int | None = None
    refusal: Refusal | None = None
