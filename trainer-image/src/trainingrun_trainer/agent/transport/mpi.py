"""Open MPI: worker 0 starts it with mpirun, through an sshd on every other worker."""

import contextlib
import os
import pwd
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

from trainingrun.contract import AttemptConfig, Cause, ExitCode
from trainingrun_trainer.agent.logbook import Logbook
from trainingrun_trainer.agent.mpi.door import SSHD
from trainingrun_trainer.agent.mpi.meeting import Meeting, MeetingError, first_worker, other_worker
from trainingrun_trainer.agent.mpi.slots import PLACE_VARIABLE, Slots
from trainingrun_trainer.agent.rendezvous import Board
from trainingrun_trainer.agent.transport.horovod import horovod_environment
from trainingrun_trainer.agent.verdict import Verdict
from trainingrun_trainer.settings import Settings

PROGRAMS = ("mpirun", "orted", "ssh", "ssh-keygen", str(SSHD))
NO_SHELLS = ("nologin", "false")
"""What CRI-O, the container runtime of OpenShift, gives the users that it adds to /etc/passwd."""


class Mpi:
    """See `Transport`."""

    def __init__(self, config: AttemptConfig, *, settings: Settings, board: Board, logbook: Logbook) -> None:
        processes = config.processes_per_worker
        self._first_rank = settings.worker * processes
        self._config = config
        self._slots = Slots(settings.mpi, ranks=range(self._first_rank, self._first_rank + processes))
        self._meeting = Meeting(config, settings=settings, board=board, slots=self._slots, logbook=logbook)
        self._verdict: Verdict | None = None

    def environment(self, local_rank: int) -> dict[str, str]:
        """See `Transport`. All else Open MPI tells the rank, when it takes its place."""
        return {
            **horovod_environment(self._config),
            "HOROVOD_CONTROLLER": "mpi",
            "HOROVOD_CPU_OPERATIONS": "mpi",
            PLACE_VARIABLE: str(self._slots.place(self._first_rank + local_rank)),
        }

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """See `Transport`."""
        thread = threading.Thread(target=self._meet, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._meeting.is_over.set()
            thread.join()

    def failure(self) -> Verdict | None:
        """See `Transport`."""
        return self._verdict

    def _meet(self) -> None:
        try:
            _check_image()
            with self._slots.listening():
                live = first_worker if self._meeting.worker == 0 else other_worker
                live(self._meeting)
        except MeetingError as problem:
            self._verdict = problem.verdict
        except OSError as problem:
            self._verdict = Verdict(
                exit_code=ExitCode.INTERNAL,
                cause=Cause.RENDEZVOUS_FAILED,
                message=f"Open MPI could not be prepared: {problem}.",
            )


def _check_image() -> None:
    """Raises MeetingError when the image lacks what MPI needs."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        raise _unfit(f"the image has no {', '.join(Path(program).name for program in missing)}")
    try:
        user = pwd.getpwuid(os.getuid())
    except KeyError:
        raise _unfit(f"the image has no user {os.getuid()} in /etc/passwd, and ssh serves nobody without a name") from None
    if Path(user.pw_shell).name in NO_SHELLS:
        raise _unfit(f"the user {os.getuid()} has {user.pw_shell} in /etc/passwd in place of a shell, which sshd needs")


def _unfit(why: str) -> MeetingError:
    return MeetingError(
        Verdict(
            exit_code=ExitCode.BAD_CONFIG,
            cause=Cause.BAD_CONFIG,
            message=f"spec.strategy.transport MPI cannot be used: {why}.",
            hint="Build spec.image from the trainer's image and leave spec.workers.securityContext.runAsUser out, or use "
            "spec.strategy.transport Gloo, all that is left where the cluster chooses the users, as OpenShift does.",
        )
    )
