"""The command: from an error to a sentence and an exit code."""

import sys
from collections.abc import Sequence

DONE, FAILED, USAGE, UNREACHABLE, TIMED_OUT, INTERRUPTED = 0, 1, 64, 69, 124, 130
"""Exit codes: 1 when the run has failed or the cluster has said no."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; what goes wrong is a sentence on standard error."""
    from trainingrun.cli.app import app, closing, usage_problem

    try:
        code = app(list(arguments) if arguments is not None else None, prog_name="kubectl trainingrun", standalone_mode=False)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        sys.stdout = None  # who read it has gone: there is nothing to flush
        return DONE
    except Exception as problem:
        told = usage_problem(problem)
        if told is not None:
            print(told, file=sys.stderr)
            return USAGE
        code = _code(problem)
        if code is None:
            raise
        print(problem, file=sys.stderr)
        return code
    finally:
        closing.close()
    return code if isinstance(code, int) else DONE


def _code(problem: Exception) -> int | None:
    """The exit code of an error that is meant for people; None for a defect."""
    from trainingrun.client import errors

    codes = (
        (errors.UsageError, USAGE),
        (errors.UnreachableError, UNREACHABLE),
        (errors.WaitTimeoutError, TIMED_OUT),
        (errors.TrainingRunError, FAILED),
    )
    return next((code for kind, code in codes if isinstance(problem, kind)), None)


if __name__ == "__main__":
    sys.exit(main())
