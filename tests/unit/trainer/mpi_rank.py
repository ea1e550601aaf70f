"""A rank of an MPI gang without TensorFlow: takes its place, adds up the numbers of all ranks, and waits to be told to stop."""

import ctypes
import os
import signal
import sys
import threading
import time
from pathlib import Path

from tests.patience import patience
from trainingrun.contract import Cause, ExitCode
from trainingrun_trainer import messages
from trainingrun_trainer.agent.mpi.slots import PLACE_VARIABLE, take_place
from trainingrun_trainer.agent.stacks import answer_when_asked
from trainingrun_trainer.messages import Reporter

SECONDS = 60.0


def main() -> int:
    """Interrupted when told to stop in time, and a failure with words otherwise."""
    answer_when_asked()
    told = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: told.set())
    reporter = Reporter.from_environment()
    if not take_place(Path(os.environ[PLACE_VARIABLE]), deadline=time.monotonic() + patience(SECONDS)):
        return ExitCode.INTERNAL
    print(f"the sum is {_sum()}", flush=True)
    reporter.send(messages.ready())
    if not told.wait(patience(SECONDS)):
        return ExitCode.INTERNAL
    ctypes.CDLL(None).MPI_Finalize()
    code, cause = ExitCode.INTERRUPTED, Cause.INTERRUPTED
    reporter.send(messages.failure(exit_code=code, cause=cause, text="Told to stop.", hint=""))
    return ExitCode.INTERRUPTED


def _sum() -> int:
    """Of the numbers of all ranks, from 1."""
    mpi = ctypes.CDLL("libmpi.so.40", mode=ctypes.RTLD_GLOBAL)
    mpi.MPI_Init(None, None)
    world, whole, plus = (ctypes.addressof(ctypes.c_int.in_dll(mpi, f"ompi_mpi_{name}")) for name in _HANDLES)
    number, total = ctypes.c_int(), ctypes.c_int()
    mpi.MPI_Comm_rank(ctypes.c_void_p(world), ctypes.byref(number))
    number.value += 1
    arguments = (ctypes.byref(number), ctypes.byref(total), 1, *(ctypes.c_void_p(each) for each in (whole, plus, world)))
    mpi.MPI_Allreduce(*arguments)
    return total.value


_HANDLES = ("comm_world", "int", "op_sum")
"""What C's MPI_COMM_WORLD, MPI_INT and MPI_SUM point to in Open MPI."""

if __name__ == "__main__":
    sys.exit(main())
