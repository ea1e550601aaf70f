"""The life of one worker: start the ranks, meet the other workers, watch both, and say how it ended."""

import contextlib
import math
import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from types import FrameType

from trainingrun.contract import AttemptConfig, Cause, ExitCode, FinalRecord, ProgressReport, StartMoments
from trainingrun.contract_version import CONTRACT
from trainingrun_trainer import owner
from trainingrun_trainer.agent import rendezvous, server
from trainingrun_trainer.agent.crew import Crew
from trainingrun_trainer.agent.grace import Grace
from trainingrun_trainer.agent.logbook import Logbook
from trainingrun_trainer.agent.orphans import Reaper, adopt
from trainingrun_trainer.agent.peers import Peers
from trainingrun_trainer.agent.processes import Child
from trainingrun_trainer.agent.ranks import RANK_MODULE
from trainingrun_trainer.agent.stacks import StackTaker, ignore_until_answered
from trainingrun_trainer.agent.study import StudyProcess, study_process
from trainingrun_trainer.agent.transport import transport
from trainingrun_trainer.agent.verdict import NOT_BEGUN, PEER_LOST, SUCCEEDED, Ended, Verdict, last_word
from trainingrun_trainer.devices import LOCAL_RANK_VARIABLE
from trainingrun_trainer.settings import OutputPaths, Settings

POLL_SECONDS = 0.05
REAP_SECONDS = 5.0
FAILURE_SECONDS = 2.0
"""How long the other ranks of a worker may take, after one has failed, to end by themselves and say more."""
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
        self._store = rendezvous.Store()
        self._crew = Crew(attempt=config.attempt, size=config.processes_per_worker, logbook=logbook, module=module)
        self._met: datetime | None = None
        self._grace = Grace(config.termination_grace_period_seconds)
        self._study: StudyProcess | None = None
        self._reaper = Reaper(own=Child.own)
        paths = OutputPaths.of(config, settings=settings)
        self._stacks = StackTaker(
            logbook=logbook, target=paths.stacks(settings.worker), permit=partial(owner.require_own, paths)
        )
        self._is_first = settings.worker == 0
        host, port = ("127.0.0.1", settings.rendezvous_port) if self._is_first else _address(settings.coordinator)
        self._board = rendezvous.Board(worker=settings.worker, host=host, port=port)
        self._transport = transport(config, settings=settings, board=self._board, logbook=logbook)

    def run(self) -> FinalRecord:
        """Live until the ranks have ended, and return the final record."""
        adopt()
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._signals())
            if self._is_first:
                self._store.put(f"/{rendezvous.AGENTS}/0", b"here")
                stack.enter_context(rendezvous.serve(self._store, port=self._settings.rendezvous_port))
            stack.enter_context(
                server.serve(
                    port=self._settings.progress_port,
                    is_ready=lambda: self._crew.is_ready,
                    progress=self._progress,
                    stacks=lambda: self._stacks.take(self._crew.ranks),
                )
            )
            if self._is_first and self._config.tuning is not None:
                self._study = stack.enter_context(study_process(self._logbook))
            stack.enter_context(self._transport.opened())
            for local in range(self._config.processes_per_worker):
                self._start(local)
            return self._record(self._watch())

    def _start(self, local_rank: int) -> None:
        board = {rendezvous.BOARD_VARIABLE: rendezvous.join_address(self._board.host, self._board.port)}
        device = {LOCAL_RANK_VARIABLE: str(local_rank)}
        self._crew.start(
            self._settings.worker * self._config.processes_per_worker + local_rank,
            environment={**board, **device, **self._transport.environment(local_rank)},
        )

    def _watch(self) -> Verdict:
        """Wait for the first failure, here or at another worker, for success everywhere, or for the end of patience."""
        peers = Peers(self._board, worker=self._settings.worker) if self._config.replicas > 1 else None
        told, reaped = False, time.monotonic()
        while True:
            codes = self._crew.codes
            if any(code not in (None, 0) for code in codes):
                return self._fail()
            if all(code == 0 for code in codes):
                return self._succeed()
            if self._has_had_its_time():
                return self._cut_short()
            if self._grace.has_begun and not told:
                told = True
                if self._study is not None:
                    self._study.interrupt()
                self._crew.interrupt()
            news = peers.news() if peers is not None else None
            if news == "failed":
                return self._follow()
            if news == "stopped":
                self._grace.begin()
            broken = self._transport.failure() if self._are_all_here() else None
            if broken is not None:
                return self._follow(broken)
            self._note_meeting()
            if time.monotonic() > reaped + REAP_SECONDS:
                reaped = time.monotonic()
                self._reaper.reap()
            time.sleep(POLL_SECONDS)

    def _fail(self) -> Verdict:
        """A rank of this worker has failed, or has stopped as it was told: tell the others, end the rest, judge."""
        codes = set(self._crew.codes) - {None, 0}
        if codes == {ExitCode.INTERRUPTED}:
            self._grace.begin()  # the ranks have agreed to stop, and the one that saves the state may need its time
        self._board.write("stopped" if codes == {ExitCode.INTERRUPTED} else "failed")
        self._give_time(seconds=FAILURE_SECONDS)
        late = self._crew.running
        verdict = self._judge(self._crew.end(), late=late)
        self._linger()
        return verdict

    def _follow(self, because: Verdict = PEER_LOST) -> Verdict:
        """Another worker has failed, or what connects them; a rank of ours may still know better why."""
        self._give_time(seconds=1.0)
        late = self._crew.running
        verdict = self._judge(self._crew.end(only_causes=True), late=late, otherwise=because)
        self._board.write("failed")
        self._linger()
        return verdict

    def _cut_short(self) -> Verdict:
        """The ranks were told to stop and did not, or have not begun: they may wait for a rank that never comes."""
        late = self._crew.running
        verdict = self._judge(self._crew.end(), late=late)
        self._board.write("failed")
        self._linger()
        return verdict

    def _judge(self, ended: list[Ended], *, late: list[int], otherwise: Verdict = SUCCEEDED) -> Verdict:
        verdict = last_word(
            ended, late=late, patience=self._grace.patience if self._grace.has_begun else None, otherwise=otherwise
        )
        return verdict if self._crew.has_begun or verdict.cause != Cause.INTERRUPTED else NOT_BEGUN

    def _succeed(self) -> Verdict:
        self._crew.sweep()
        self._board.write("done")
        _wait_until(lambda: self._have_all_ended() or self._grace.is_over, seconds=FAREWELL_SECONDS)
        return SUCCEEDED

    def _give_time(self, *, seconds: float) -> None:
        """Let the ranks end by themselves; those that have been told to stop may use all of the grace period."""
        if self._grace.has_begun:
            _wait_until(lambda: not self._crew.running or self._has_had_its_time())
        else:
            _wait_until(lambda: not self._crew.running, seconds=seconds)

    def _has_had_its_time(self) -> bool:
        """Whether the ranks have been told to stop long ago; those that have not met the others yet have nothing to save."""
        return self._grace.is_over or (self._grace.has_begun and not self._crew.has_begun)

    def _linger(self) -> None:
        _wait_until(self._have_all_ended, seconds=LINGER_SECONDS)

    def _have_all_ended(self) -> bool:
        """Whether worker 0 may go: all the others have read the board for the last time. Other workers always may."""
        known = self._store.states()
        others = range(1, self._config.replicas) if self._is_first else ()
        return all(known.get(worker, "here") != "here" for worker in others)

    def _are_all_here(self) -> bool:
        """Whether no worker has ended yet, as far as this one has to know: what one that ends takes along is no failure."""
        return all(state == "here" for state in self._store.states().values())

    def _note_meeting(self) -> None:
        """Remember when all workers had checked in; only worker 0 knows."""
        if self._met is None and self._is_first and len(self._store.states()) >= self._config.replicas:
            self._met = _now()

    def _progress(self) -> ProgressReport | None:
        if not self._is_first:
            return None
        report = self._crew.report
        known = {
            "contract_version": CONTRACT,
            "run_uid": self._config.run.uid,
            "moments": self._moments(),
            "updated_at": max(report.updated_at, self._store.sign or report.updated_at),
        }
        return report.model_copy(update=known)

    def _moments(self) -> StartMoments:
        return self._crew.report.moments.model_copy(update={"rendezvous_done": self._met})

    def _record(self, verdict: Verdict) -> FinalRecord:
        self._crew.drain()
        succeeded, report = verdict == SUCCEEDED, self._crew.report
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
            checkpoint=report.checkpoint,
            choices=report.choices,
            tuning=report.tuning,
            moments=self._moments(),
            result=self._crew.result if succeeded or verdict.cause == Cause.NOT_ACCEPTED else None,
        )

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """SIGTERM begins the grace period; `_watch` passes it on to the ranks, which save their state."""

        def stop(number: int, frame: FrameType | None) -> None:
            self._grace.begin()

        ignore_until_answered()
        before = signal.signal(signal.SIGTERM, stop)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, before)


def _wait_until(condition: Callable[[], bool], *, seconds: float = math.inf) -> None:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)


def _address(coordinator: str | None) -> tuple[str, int]:
    assert coordinator is not None, "the operator gives every worker but the first the coordinator's address"
    return rendezvous.split_address(coordinator)


def _now() -> datetime:
    return datetime.now(UTC)
