"""When a process has ended, and when it only seems so."""

import subprocess
import sys

from cluster.processes import start_time
from tests.waiting import wait_for

FIRST_THREAD_ENDS = """
import ctypes, os, sys, threading
threading.Thread(target=sys.stdin.read).start()
print("begun", flush=True)
ctypes.CDLL(None).syscall({"x86_64": 60, "aarch64": 93}[os.uname().machine], 0)
"""
"""Ends its first thread, which the kernel then calls a zombie; another one lives until the input ends."""


def test_a_process_whose_first_thread_has_ended_lives_until_its_last_has_and_is_dead_as_a_zombie() -> None:
    command = [sys.executable, "-c", FIRST_THREAD_ENDS]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdin is not None
        running.stdout.readline()
        wait_for(
            lambda: _state(running.pid), lambda state: state == "Z", what="its first thread to end", timeout=5, interval=0.01
        )
        assert start_time(running.pid) is not None

        running.stdin.close()

        wait_for(lambda: start_time(running.pid), lambda found: found is None, what="its end", timeout=5, interval=0.01)
        assert _state(running.pid) == "Z"


def _state(pid: int) -> str:
    with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
        return stat.read().rpartition(")")[2].split()[0]
