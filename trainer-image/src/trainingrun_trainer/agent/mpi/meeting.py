"""How the workers of an attempt become one MPI job, as prose: once for worker 0, once for the others."""

import os
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NoReturn

from trainingrun.contract import AttemptConfig, Cause, ExitCode
from trainingrun_trainer.agent.helper import Helper
from trainingrun_trainer.agent.logbook import Logbook
from trainingrun_trainer.agent.mpi import launch
from trainingrun_trainer.agent.mpi.door import Door
from trainingrun_trainer.agent.mpi.keys import make_key
from trainingrun_trainer.agent.mpi.launch import Announcement
from trainingrun_trainer.agent.mpi.seal import sealed, unsealed
from trainingrun_trainer.agent.mpi.slots import SOCKET_VARIABLE, Slots
from trainingrun_trainer.agent.rendezvous import RETRY_INTERVAL, Board, own_address
from trainingrun_trainer.agent.verdict import Verdict
from trainingrun_trainer.settings import Settings

SCOPE = "/mpi"


class MeetingError(Exception):
    """The workers cannot become an MPI job, or are none any more."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.message)
        self.verdict = verdict


class Meeting:
    """What both kinds of workers have in hand."""

    def __init__(self, config: AttemptConfig, *, settings: Settings, board: Board, slots: Slots, logbook: Logbook) -> None:
        self.config = config
        self.settings = settings
        self.board = board
        self.slots = slots
        self.logbook = logbook
        self.worker = settings.worker
        self.folder: Path = settings.mpi
        self.is_over = threading.Event()
        """Set by the agent: its ranks have ended."""

    def publish(self, content: str) -> None:
        """Let the others know what this worker says, sealed."""
        value = sealed(content, by=self.worker, token=self._token)
        for _ in self.turns():
            if self.board.put(f"{SCOPE}/{self.worker}", value):
                return

    def hear(self, worker: int) -> str | None:
        """What a worker has said; None while it has not.

        Raises MeetingError when somebody else has said it.
        """
        value = self.board.get(f"{SCOPE}/{worker}")
        if not value:
            return None
        content = unsealed(value, by=worker, token=self._token)
        if content is None:
            fail_start(f"What is on the board about the ssh key of worker {worker} was not written by a pod of this attempt")
        return content

    def turns(self) -> Iterator[None]:
        """Again and again, until the agent's ranks have ended. The ranks know when it is too late: see `rank`."""
        while not self.is_over.wait(RETRY_INTERVAL):
            yield

    @property
    def _token(self) -> str:
        if self.settings.token is None:
            fail_start("The pod has no token of its attempt, which its Job should have given it")
        return self.settings.token


def first_worker(meeting: Meeting) -> None:
    """Worker 0: make the key, learn where the others are, start mpirun, and watch it."""
    workers: dict[int, Announcement] = {}
    others = range(1, meeting.config.replicas)
    key = meeting.folder / "key"
    if others:
        meeting.publish(make_key(key))
    while len(workers) < len(others):
        if meeting.is_over.wait(RETRY_INTERVAL):
            return
        said = {worker: meeting.hear(worker) for worker in others if worker not in workers}
        workers |= {worker: Announcement.model_validate_json(words) for worker, words in said.items() if words is not None}
    job = _start_mpirun(meeting, workers)
    try:
        for _ in meeting.turns():
            if meeting.slots.are_taken:
                key.unlink(missing_ok=True)  # all daemons run by now
            _check(meeting, ended=job.ended())
    finally:
        job.end()


def other_worker(meeting: Meeting) -> None:
    """Every other worker: let in who has worker 0's key, until all ranks have a place."""
    host_key = make_key(meeting.folder / "host_key")
    key = None
    while key is None:
        if meeting.is_over.wait(RETRY_INTERVAL):
            return
        key = meeting.hear(0)
    address, port = own_address(meeting.settings.coordinator), meeting.settings.ssh_port
    door = Door(meeting.folder, address=address, port=port, socket=meeting.slots.socket, key=key, logbook=meeting.logbook)
    try:
        announced = False
        for _ in meeting.turns():
            if meeting.slots.are_taken:
                return
            _check(meeting, ended=door.ended())
            if door.is_open and not announced:
                meeting.publish(Announcement(address=address, port=port, host_key=host_key).model_dump_json())
                announced = True
    finally:
        door.close()


def _start_mpirun(meeting: Meeting, workers: Mapping[int, Announcement]) -> Helper:
    folder, config = meeting.folder, meeting.config
    for name, text in launch.files(folder, workers, slots=config.processes_per_worker).items():
        (folder / name).write_text(text)
    return Helper(
        "mpirun",
        launch.mpirun(folder, workers, ranks=config.world_size),
        environment=_environment(meeting.slots.socket),
        logbook=meeting.logbook,
    )


def _environment(socket: Path) -> dict[str, str]:
    """Nothing of the user's: the ranks have it, and it must not travel. `OMPI_ALLOW_*` lets root be root, for developers."""
    known = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME") or name.startswith("OMPI_ALLOW_")}
    return {**known, SOCKET_VARIABLE: str(socket)}


def _check(meeting: Meeting, *, ended: str | None) -> None:
    """Raises MeetingError when the helper has ended too early, or a rank was put where it does not belong."""
    if meeting.slots.misplaced is not None:
        fail_start(f"Open MPI has put rank {meeting.slots.misplaced} on worker {meeting.worker}, to which it does not belong")
    if ended is None:
        return
    if not meeting.slots.are_taken:
        fail_start(f"Open MPI did not start: on worker {meeting.worker} {ended}")
    raise MeetingError(
        Verdict(exit_code=ExitCode.PEER_LOST, cause=Cause.PEER_LOST, message=f"Open MPI has given up the gang: {ended}")
    )


def fail_start(why: str) -> NoReturn:
    """Raises MeetingError: the gang has not begun."""
    raise MeetingError(
        Verdict(
            exit_code=ExitCode.INTERNAL,
            cause=Cause.RENDEZVOUS_FAILED,
            message=why if why.endswith(".") else f"{why}.",
            hint="The logs of all workers say more: lines that begin with [sshd] and [mpirun].",
        )
    )
