"""What can go wrong between a client and a cluster. Every text is a sentence: what, where, the value, the way out."""

from collections.abc import Sequence


class TrainingRunError(Exception):
    """Whatever the client raises."""


class UnreachableError(TrainingRunError):
    """The API server does not answer, or nobody has said where it is."""


class UsageError(TrainingRunError):
    """What was asked for cannot be meant: a name, a file or a value is wrong."""


class RefusedError(TrainingRunError):
    """The API server has answered and said no."""

    def __init__(self, text: str, *, code: int, reason: str = "", causes: Sequence[str] = ()) -> None:
        super().__init__(text)
        self.code = code
        """HTTP status, for example 403."""
        self.reason = reason
        """Kubernetes' word for it, for example AlreadyExists."""
        self.causes = tuple(causes)
        """Each refusal alone, with its field, where there are several."""


class ExpiredError(RefusedError):
    """A watch would begin at a version that the API server has forgotten: list again."""


class NotFoundError(RefusedError):
    """There is no such object."""


class WaitTimeoutError(TrainingRunError, TimeoutError):
    """What was waited for has not happened in time."""


class ReportError(TrainingRunError):
    """There is no report, or no file, that could be fetched; the text says why, and the way out."""


class RunFailed(TrainingRunError):  # noqa: N818 - it is no error of the client: the run has ended so
    """A run has failed. Its text is what happened and the hint of what to change."""

    def __init__(self, name: str, *, cause: str, message: str, hint: str = "", log_tail: str = "") -> None:
        said = " ".join(part for part in (message.strip(), hint.strip()) if part)
        super().__init__(f"The run {name} has failed: {cause}. {said}".rstrip())
        self.name = name
        self.cause = cause
        """One CamelCase word, for example OOMKilled: `trainingrun.contract.Cause` has those that are known."""
        self.message = message
        self.hint = hint
        self.log_tail = log_tail
        """Last lines of the log of the worker that failed first."""
