"""How the agent starts a Python process: as a fresh interpreter, or from a fork server where its environment names one."""

import os
import signal
import subprocess
import sys
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

from trainingrun_trainer.agent.forked import Forked, Refused, fork
from trainingrun_trainer.forkserver.order import Order

SERVER_VARIABLE = "TRAININGRUN_FORK_SERVER"
"""The socket of a server that has imported what ranks import. Pods have none: each rank is a fresh interpreter."""


class Process(Protocol):
    """A process, as `subprocess.Popen` shows it."""

    pid: int

    def poll(self) -> int | None:
        """Exit code, negative for a signal, or None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its exit code.

        Raises subprocess.TimeoutExpired when it has not come within `timeout` seconds.
        """

    def send_signal(self, sig: int) -> None:
        """Send it this signal, unless it has ended."""


class Child(subprocess.Popen[bytes]):
    """A process that was started here: it is waited for by whoever has started it. See `agent/orphans.py`."""

    _all: ClassVar["weakref.WeakSet[Child]"] = weakref.WeakSet()

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """As `subprocess.Popen`."""
        super().__init__(*arguments, **named)
        self._all.add(self)

    @classmethod
    def own(cls) -> set[int]:
        """The numbers of those that nobody has waited for to the end."""
        return {child.pid for child in list(cls._all) if child.returncode is None}


@dataclass(frozen=True)
class Start:
    """What to start as `python -m module arguments...`, in a session of its own."""

    module: str
    environment: Mapping[str, str]
    """All of it."""
    output: int
    """The descriptor that its output and its errors go to."""
    input: int | None = None
    """The one that it reads, if any."""
    arguments: tuple[str, ...] = ()
    named: Mapping[str, int] = field(default_factory=dict)
    """Further descriptors, by the variable that tells the process which is which."""


def launch(start: Start, *, note: Callable[[str], None]) -> Process:
    """Fork it where there is a server for that; start a fresh interpreter otherwise, or if it declines, which is noted."""
    server = os.environ.get(SERVER_VARIABLE)
    if server is None:
        return spawn(start)
    try:
        return forked(start, server=Path(server))
    except Refused as why:
        note(f"Started as a fresh process: {why}")
        return spawn(start)


def spawn(start: Start) -> Child:
    """A fresh interpreter."""
    return Child(
        [sys.executable, "-m", start.module, *start.arguments],
        env={**start.environment, **{name: str(descriptor) for name, descriptor in start.named.items()}},
        stdin=subprocess.DEVNULL if start.input is None else start.input,
        stdout=start.output,
        stderr=start.output,
        pass_fds=tuple(start.named.values()),
        start_new_session=True,
    )


def forked(start: Start, *, server: Path) -> Forked:
    """A process of a fork server, which also ends when the server does.

    Raises Refused.
    """
    order = Order(
        module=start.module,
        arguments=start.arguments,
        environment=start.environment,
        folder=os.getcwd(),
        ignored=tuple(number for number in signal.valid_signals() if signal.getsignal(number) is signal.SIG_IGN),
        variables=tuple(start.named),
    )
    with open(os.devnull, "rb") as nothing:
        reads = nothing.fileno() if start.input is None else start.input
        return fork(order, server=server, descriptors=(reads, start.output, start.output, *start.named.values()))
