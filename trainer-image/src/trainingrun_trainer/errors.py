"""Failures that a person can act on, each with an exit code of the contract."""

from trainingrun.api import Result
from trainingrun.contract import Cause, ExitCode


class TrainerError(Exception):
    """A failure with a cause; its text says what, where, the value and the way out."""

    def __init__(
        self, message: str, *, cause: Cause, exit_code: ExitCode, hint: str = "", result: Result | None = None
    ) -> None:
        """`result` is what a run leaves although it has failed."""
        super().__init__(message)
        self.result = result
        self.cause = cause
        self.exit_code = exit_code
        self.hint = hint


def bad_config(message: str, *, hint: str = "") -> TrainerError:
    """The specification asks for something that cannot be done; retrying is useless."""
    return TrainerError(message, cause=Cause.BAD_CONFIG, exit_code=ExitCode.BAD_CONFIG, hint=hint)


def bad_data(message: str, *, hint: str = "") -> TrainerError:
    """The data is not what the specification says; retrying is useless."""
    return TrainerError(message, cause=Cause.BAD_DATA, exit_code=ExitCode.BAD_DATA, hint=hint)


def failed(message: str, *, cause: Cause, hint: str = "") -> TrainerError:
    """Something went wrong that another attempt may survive."""
    return TrainerError(message, cause=cause, exit_code=ExitCode.INTERNAL, hint=hint)


def interrupted(message: str) -> TrainerError:
    """The pod was told to stop; the state is on the output."""
    return TrainerError(message, cause=Cause.INTERRUPTED, exit_code=ExitCode.INTERRUPTED)
