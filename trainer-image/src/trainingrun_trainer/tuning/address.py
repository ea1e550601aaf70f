"""Where the study listens, or why it does not: a value in worker 0's store."""

import socket

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


def own_address(coordinator: str | None) -> str:
    """The address that this pod is reached at by those that reach the coordinator (host:port); loopback without one."""
    if coordinator is None:
        return "127.0.0.1"
    host, _, port = coordinator.rpartition(":")
    ((family, kind, _, _, target), *_) = socket.getaddrinfo(host, int(port), type=socket.SOCK_DGRAM)
    with socket.socket(family, kind) as unsent:
        unsent.connect(target)  # chooses the way, and sends nothing
        return str(unsent.getsockname()[0])
