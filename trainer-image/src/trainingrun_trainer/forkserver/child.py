"""What a forked process does before it runs its module: become what a fresh process would be."""

import contextlib
import ctypes
import gc
import json
import os
import runpy
import signal
import sys
import tempfile
import time

from trainingrun_trainer.forkserver.server import STANDARD_STREAMS, Birth

PR_SET_PDEATHSIG = 1
PYTHON_IGNORES = {signal.SIGPIPE, signal.SIGXFSZ}


def run(birth: Birth) -> None:
    """Run the module of the order as the main one. What it raises, SystemExit too, the caller leaves to the interpreter."""
    _end_with(birth.server)
    os.setsid()
    _take_streams(birth)
    _take_surroundings(birth)
    _take_signals(birth)
    birth.client.send(json.dumps({"pid": os.getpid()}).encode())
    birth.client.close()
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    gc.enable()
    runpy.run_module(birth.order.module, run_name="__main__", alter_sys=True)


def _end_with(server: int) -> None:
    """Be killed when the server ends, however it does."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != server:
        os.kill(os.getpid(), signal.SIGKILL)


def _take_streams(birth: Birth) -> None:
    for standard, descriptor in enumerate(birth.descriptors[:STANDARD_STREAMS]):
        os.dup2(descriptor, standard)
        os.close(descriptor)


def _take_surroundings(birth: Birth) -> None:
    order = birth.order
    named = zip(order.variables, birth.descriptors[STANDARD_STREAMS:], strict=True)
    environment = {**order.environment, **{name: str(descriptor) for name, descriptor in named}}
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(order.folder)
    time.tzset()
    tempfile.tempdir = None
    sys.argv = [order.module, *order.arguments]
    sys.path[0] = order.folder


def _take_signals(birth: Birth) -> None:
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        with contextlib.suppress(OSError):  # the C library keeps some for itself
            signal.signal(number, _usual(number))
    for ignored in birth.order.ignored:
        signal.signal(ignored, signal.SIG_IGN)


def _usual(number: int) -> "signal._HANDLER":
    """What Python does with a signal in a process that has just started."""
    if number == signal.SIGINT:
        return signal.default_int_handler
    return signal.SIG_IGN if number in PYTHON_IGNORES else signal.SIG_DFL
