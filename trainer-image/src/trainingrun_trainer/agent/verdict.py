"""From how the ranks ended to the worker's final record. Pure."""

import signal
from dataclasses import dataclass

from trainingrun.contract import Cause, ExitCode
from trainingrun_trainer.messages import Message


@dataclass(frozen=True)
class Ended:
    """A rank that has ended: its exit code (negative for a signal) and its last message."""

    rank: int
    code: int
    last: Message | None = None


@dataclass(frozen=True)
class Verdict:
    """Why and how a worker ends."""

    exit_code: int
    cause: str | None = None
    rank: int | None = None
    signal: int | None = None
    message: str = ""
    hint: str = ""


MPI_DAEMON_LOST = 195
"""What Open MPI 4.1 ends a process with whose daemon has gone; the gang has, then."""

SUCCEEDED = Verdict(exit_code=ExitCode.SUCCEEDED)
PEER_LOST = Verdict(
    exit_code=ExitCode.PEER_LOST,
    cause=Cause.PEER_LOST,
    message="Another worker failed, so this one stopped. Its own record says why.",
)
NOT_BEGUN = Verdict(
    exit_code=ExitCode.INTERRUPTED,
    cause=Cause.INTERRUPTED,
    message="Told to stop before its ranks had met the others: there was nothing to save.",
)


def cut_short(late: list[int], *, patience: float) -> Verdict:
    """The verdict on a worker that was told to stop and whose ranks `late` had to be killed, or had lost each other by then."""
    ranks = f"Rank {late[0]}" if len(late) == 1 else f"Ranks {', '.join(map(str, late))}"
    return Verdict(
        exit_code=ExitCode.INTERRUPTED,
        cause=Cause.INTERRUPTED,
        message=f"Told to stop. {ranks} ended without having saved the state, for which there are {patience:g} s at most: "
        "what has been done since the last checkpoint is lost.",
        hint="Raise spec.workers.terminationGracePeriodSeconds if saving takes long. A rank that waits for another never ends.",
    )


def judge(ended: Ended) -> Verdict:
    """The verdict on one rank, by its own words if it had any."""
    if ended.code == 0:
        return SUCCEEDED
    if ended.code < 0:
        return _killed(ended)
    if ended.last is not None and ended.last.kind == "failed":
        return Verdict(
            exit_code=ended.last.exit_code,
            cause=ended.last.cause,
            rank=ended.rank,
            message=ended.last.text,
            hint=ended.last.hint,
        )
    if ended.code == MPI_DAEMON_LOST:
        return Verdict(
            exit_code=ExitCode.PEER_LOST,
            cause=Cause.PEER_LOST,
            message=f"Rank {ended.rank} has lost Open MPI's daemon, and with it the other ranks. Its log may say why.",
        )
    return Verdict(
        exit_code=ExitCode.INTERNAL,
        cause=Cause.RANK_FAILED,
        rank=ended.rank,
        message=f"Rank {ended.rank} ended with exit code {ended.code} and without a word. Its last lines are in the log.",
    )


def _killed(ended: Ended) -> Verdict:
    number = -ended.code
    name = signal.Signals(number).name
    hint = ""
    if number == signal.SIGKILL:
        hint = "If its memory ran out, raise spec.workers.resources.limits.memory or lower spec.training.batchSize."
    return Verdict(
        exit_code=ExitCode.INTERNAL,
        cause=Cause.RANK_KILLED,
        rank=ended.rank,
        signal=number,
        message=f"Rank {ended.rank} was ended by signal {number} ({name}).",
        hint=hint,
    )


def first_cause(ended: list[Ended]) -> Verdict:
    """The verdict on a worker whose ranks have ended: the most telling one.

    A rank that only lost its peers, or was interrupted, is never the cause while another is.
    """
    verdicts = [judge(each) for each in ended]
    weight = {ExitCode.SUCCEEDED: 3, ExitCode.PEER_LOST: 2, ExitCode.INTERRUPTED: 1}
    return min(verdicts, key=lambda verdict: weight.get(ExitCode(verdict.exit_code), 0), default=SUCCEEDED)


def last_word(ended: list[Ended], *, late: list[int], patience: float | None, otherwise: Verdict = SUCCEEDED) -> Verdict:
    """The verdict on a worker: the most telling one on the ranks that have `ended`, or `otherwise`; `late` ones were killed.

    With `patience`, in seconds, it had been told to stop. Then a lost peer is no failure: it was told, too, and was late.
    """
    verdict = first_cause(ended)
    if verdict.exit_code not in (ExitCode.SUCCEEDED, ExitCode.PEER_LOST):
        return verdict
    unsaved = sorted({*late, *(each.rank for each in ended if judge(each).exit_code == ExitCode.PEER_LOST)})
    if patience is not None and unsaved:
        return cut_short(unsaved, patience=patience)
    return otherwise if verdict == SUCCEEDED else verdict
