"""The life of one worker: start the ranks, meet the other workers, watch both, and say how it ended."""

import contextlib
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from types import FrameType

from trainingrun.contract import AttemptConfig, FinalRecord, ProgressReport, StartMoments
from trainingrun_trainer.agent import rendezvous, server
from trainingrun_trainer.agent.environment import rank_environment
from trainingrun_trainer.agent.logbook import Logbook
from trainingrun_trainer.agent.ranks import RANK_MODULE, Rank
from trainingrun_trainer.agent.verdict import PEER_LOST, SUCCEEDED, Ended, Verdict, first_cause
from trainingrun_trainer.messages import Message
from trainingrun_trainer.settings import Settings

POLL_SECONDS = 0.05
PEER_POLL_SECONDS = 0.5
PEER_SILENCE_SECONDS = 10.0
"""Worker 0 may be busy, but an agent that does not answer for this long is gone."""
LINGER_SECONDS = 3.0
"""How long worker 0 keeps its store after a failure, so that the others learn of it."""
FAREWELL_SECONDS = 30.0
"""How long worker 0 waits, after success, for the others to finish."""


class Worker:
    """One worker of an attempt."""

    def __init__(self, config: AttemptConfig, *, settings: Settings, logbook: Logbook, module: str = RANK_MODULE) -> None:
        self._config = config
        self._settings = settings
        self._logbook = logbook
        self._module = module
        self._store = rendezvous.Store()
        self._ready: set[int] = set()
        self._report = ProgressReport(attempt=config.attempt, updated_at=_now())
        self._met: datetime | None = None
        self._interrupted = threading.Event()
        self._is_first = settings.worker == 0
        host, port = ("127.0.0.1", settings.rendezvous_port) if self._is_first else _address(settings.coordinator)
        self._host, self._port = host, port
        self._board = rendezvous.Board(worker=settings.worker, host=host, port=port)

    def run(self) -> FinalRecord:
        """Live until the ranks have ended, and return the final record."""
        with contextlib.ExitStack() as stack:
            if self._is_first:
                self._store.put(f"/{rendezvous.AGENTS}/0", b"here")
                stack.enter_context(rendezvous.serve(self._store, port=self._settings.rendezvous_port))
            stack.enter_context(
                server.serve(port=self._settings.progress_port, is_ready=self._is_ready, progress=self._progress)
            )
            stack.enter_context(self._signals())
            ranks = [self._start(local) for local in range(self._config.processes_per_worker)]
            verdict = self._watch(ranks)
            return self._record(verdict, ranks=ranks)

    def _start(self, local_rank: int) -> Rank:
        variables = rank_environment(
            self._config,
            worker=self._settings.worker,
            local_rank=local_rank,
            hostname=f"{socket.gethostname()}-{self._settings.worker}",
            host=self._host,
            port=self._port,
        )
        return Rank(
            self._settings.worker * self._config.processes_per_worker + local_rank,
            environment=variables,
            logbook=self._logbook,
            on_message=self._hear,
            module=self._module,
        )

    def _watch(self, ranks: list[Rank]) -> Verdict:
        """Wait for the first failure, here or at another worker, or for success everywhere."""
        peers = _Peers(self._board, worker=self._settings.worker) if self._config.replicas > 1 else None
        told = False
        while True:
            codes = {rank.number: rank.poll() for rank in ranks}
            if any(code not in (None, 0) for code in codes.values()):
                return self._fail(ranks)
            if all(code == 0 for code in codes.values()):
                return self._succeed(peers)
            if self._interrupted.is_set() and not told:
                told = True
                for rank in ranks:
                    rank.interrupt()
            if peers is not None and peers.is_any_lost():
                return self._follow(ranks)
            self._note_meeting()
            time.sleep(POLL_SECONDS)

    def _fail(self, ranks: list[Rank]) -> Verdict:
        """A rank of this worker has failed: tell the others, end the rest, judge."""
        self._board.write("failed")
        self._give_time(ranks, seconds=2.0 if not self._interrupted.is_set() else 20.0)
        ended = _end_all(ranks)
        verdict = first_cause(ended)
        if self._is_first and self._config.replicas > 1:
            self._linger()
        return verdict

    def _follow(self, ranks: list[Rank]) -> Verdict:
        """Another worker has failed; a rank of ours may still know better why."""
        self._give_time(ranks, seconds=1.0)
        verdict = first_cause(_end_all(ranks, only_own_words=True))
        self._board.write("failed")
        if self._is_first:
            self._linger()
        return PEER_LOST if verdict == SUCCEEDED else verdict

    def _succeed(self, peers: "_Peers | None") -> Verdict:
        self._board.write("done")
        if self._is_first and peers is not None:
            _wait_until(lambda: self._all_in("done", "failed"), seconds=FAREWELL_SECONDS)
        return SUCCEEDED

    def _linger(self) -> None:
        _wait_until(lambda: self._all_in("done", "failed"), seconds=LINGER_SECONDS)

    def _all_in(self, *states: str) -> bool:
        known = self._store.states()
        return all(known.get(worker) in states for worker in range(1, self._config.replicas))

    def _give_time(self, ranks: list[Rank], *, seconds: float) -> None:
        _wait_until(lambda: all(rank.poll() is not None for rank in ranks), seconds=seconds)

    def _note_meeting(self) -> None:
        """Remember when all workers had checked in; only worker 0 knows."""
        if self._met is None and self._is_first and len(self._store.states()) >= self._config.replicas:
            self._met = _now()

    def _hear(self, rank: Rank, message: Message) -> None:
        if message.kind == "ready":
            self._ready.add(rank.number)
        if message.kind == "progress" and message.progress is not None:
            self._report = message.progress

    def _is_ready(self) -> bool:
        return len(self._ready) >= self._config.processes_per_worker

    def _progress(self) -> ProgressReport | None:
        return self._report.model_copy(update={"moments": self._moments()}) if self._is_first else None

    def _moments(self) -> StartMoments:
        return self._report.moments.model_copy(update={"rendezvous_done": self._met})

    def _record(self, verdict: Verdict, *, ranks: list[Rank]) -> FinalRecord:
        for rank in ranks:
            rank.drain()
        succeeded = verdict == SUCCEEDED
        result = next((rank.last.result for rank in ranks if rank.last is not None and rank.last.result), None)
        return FinalRecord(
            attempt=self._config.attempt,
            worker=self._settings.worker,
            exit_code=verdict.exit_code,
            cause=verdict.cause,
            rank=verdict.rank,
            signal=verdict.signal,
            message=verdict.message,
            hint=verdict.hint,
            log_tail="" if succeeded else self._logbook.tail(),
            checkpoint=self._report.checkpoint,
            moments=self._moments(),
            result=result if succeeded else None,
        )

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """Pass SIGTERM on to the ranks, which save their state."""

        def stop(number: int, frame: FrameType | None) -> None:
            self._interrupted.set()

        before = signal.signal(signal.SIGTERM, stop)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, before)


class _Peers:
    """Watches the other workers through the board, at most twice a second."""

    def __init__(self, board: rendezvous.Board, *, worker: int) -> None:
        self._board = board
        self._worker = worker
        self._checked_in = False
        self._next = 0.0
        self._answered = time.monotonic()

    def is_any_lost(self) -> bool:
        """Whether another worker has failed, or worker 0, once met, has not answered for some seconds."""
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + (rendezvous.RETRY_INTERVAL if not self._checked_in else PEER_POLL_SECONDS)
        if not self._checked_in:
            self._checked_in = self._board.write("here")
            self._answered = now
            return False
        states = self._board.read()
        if states is None:
            return now - self._answered > PEER_SILENCE_SECONDS
        self._answered = now
        return any(state == "failed" for worker, state in states.items() if worker != self._worker)


def _end_all(ranks: list[Rank], *, only_own_words: bool = False) -> list[Ended]:
    """End the ranks that still run, and return how those ended that did so by themselves."""
    own = [rank for rank in ranks if rank.poll() is not None]
    for rank in ranks:
        rank.kill()
    for rank in own:
        rank.drain()
    ended = [Ended(rank=rank.number, code=rank.poll() or 0, last=rank.last) for rank in own]
    if only_own_words:
        return [each for each in ended if each.last is not None and each.last.kind == "failed"]
    return ended


def _wait_until(condition: Callable[[], bool], *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)


def _address(coordinator: str | None) -> tuple[str, int]:
    assert coordinator is not None, "the operator gives every worker but the first the coordinator's address"
    host, _, port = coordinator.rpartition(":")
    return host, int(port)


def _now() -> datetime:
    return datetime.now(UTC)
