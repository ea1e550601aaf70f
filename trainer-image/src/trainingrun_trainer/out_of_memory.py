"""Errors that say that the memory was not enough, that of the host or of a device, whoever raises them.

Python and NumPy raise MemoryError, TensorFlow ResourceExhaustedError; CUDA's libraries say it in the words of other errors.
This loads no TensorFlow.
"""

from collections.abc import Iterator

from trainingrun.contract import Cause
from trainingrun_trainer.errors import TrainerError, failed

_NAMES = ("MemoryError", "ResourceExhaustedError")
_WORDS = (
    "CUDA_ERROR_OUT_OF_MEMORY",
    "OOM when allocating",
    "out of memory",
    "CUDNN_STATUS_ALLOC_FAILED",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "bad_alloc",
    "Cannot allocate memory",
)
_DISK = "No space left on device"


def is_out_of_memory(problem: BaseException) -> bool:
    """Whether an error, or one that it comes from, says so. A full disk is none, although TensorFlow calls it so too."""
    return any(_says_so(each) for each in _with_reasons(problem))


def out_of_memory(*, words: str) -> TrainerError:
    """The failure that such an error is. Another attempt may survive it, on a node where more is free."""
    return failed(
        f"The memory was not enough: {words}",
        cause=Cause.OUT_OF_MEMORY,
        hint="Lower spec.training.batchSize (and raise spec.strategy.backwardPassesPerStep as much, to keep the samples of a "
        "step); or raise spec.workers.resources.limits.memory, or take GPUs with more memory if it is theirs.",
    )


def _says_so(problem: BaseException) -> bool:
    text = str(problem)
    if _DISK in text:
        return False
    return any(kind.__name__ in _NAMES for kind in type(problem).__mro__) or any(words in text for words in _WORDS)


def _with_reasons(problem: BaseException) -> Iterator[BaseException]:
    """The error and those that it was raised from."""
    seen: BaseException | None = problem
    while seen is not None:
        yield seen
        seen = seen.__cause__
