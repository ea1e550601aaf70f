"""Why a run is where it is: the state, since when, the sentence, the hint, the evidence, and what to type next."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from trainingrun.api import Condition, TrainingRun
from trainingrun.views.next_steps import commands, is_known
from trainingrun.views.stages import state
from trainingrun.views.times import since

MOST_EVIDENCE = 5


@dataclass(frozen=True)
class Evidence:
    """Something that an object of the cluster says."""

    about: str
    """Kind and name of the object, for example pod/digits-1-0."""
    reason: str
    message: str
    at: datetime | None = None
    count: int = 1


@dataclass(frozen=True)
class Why:
    """The answer."""

    name: str
    state: str
    word: str
    """Cause or reason in one CamelCase word; empty where there is none."""
    since: str
    """How long it has been so; empty when it is not known."""
    sentence: str
    hint: str
    evidence: tuple[Evidence, ...]
    commands: tuple[str, ...]
    """At least one."""


def why(run: TrainingRun, *, now: datetime, events: Iterable[Evidence] = ()) -> Why:
    """Ask a run. Events are those of the run and of its pods; what was in the way of one that has succeeded is no answer."""
    condition, failure = telling(run), run.status.failure
    failed = state(run) == "Failed"
    word = condition.reason if condition is not None else ""
    sentence = condition.message if condition is not None else ""
    hint = ""
    if failure is not None and (failed or failure.cause == word):
        word, sentence, hint = failure.cause, failure.message or sentence, failure.hint
    if condition is None:
        sentence = "No operator has looked at it yet: it runs in another namespace, does not run, or has not come to it."
    key = word if is_known(word) else state(run)
    found = sorted(events if state(run) != "Succeeded" else (), key=lambda each: each.at or datetime.min.replace(tzinfo=UTC))
    return Why(
        name=run.metadata.name,
        state=state(run),
        word=word if is_known(word) or failed else "",
        since=since(_since(run, condition), now=now),
        sentence=sentence,
        hint=hint,
        evidence=(*_of_failure(run, failed=failed), *_of_restart(run, failed=failed), *found[-MOST_EVIDENCE:]),
        commands=commands(key, run),
    )


def telling(run: TrainingRun) -> Condition | None:
    """The condition that says what the run does: why it is stalled, what it waits for or does, else how it has ended."""
    found = (run.status.condition(kind) for kind in ("Stalled", "Reconciling", "Suspended", "Succeeded"))
    return next((each for each in found if each is not None and (each.status == "True" or each.type == "Succeeded")), None)


def warnings(events: Sequence[Mapping[str, Any]]) -> tuple[Evidence, ...]:
    """What Events of Kubernetes warn of."""
    return tuple(
        Evidence(
            about=f"{each['involvedObject'].get('kind', '').lower()}/{each['involvedObject'].get('name', '')}",
            reason=each.get("reason", ""),
            message=" ".join(each.get("message", "").split()),
            at=_moment(each.get("lastTimestamp") or each.get("eventTime") or each["metadata"].get("creationTimestamp")),
            count=each.get("count") or 1,
        )
        for each in events
        if each.get("type") == "Warning"
    )


def _since(run: TrainingRun, condition: Condition | None) -> datetime | None:
    if run.status.waiting_since is not None:
        return run.status.waiting_since
    if condition is None:
        return run.metadata.creation_timestamp
    return condition.last_transition_time


def _of_failure(run: TrainingRun, *, failed: bool) -> tuple[Evidence, ...]:
    """Where it has failed: worker, rank, node, exit code and the last lines of the log."""
    failure = run.status.failure
    if failure is None or not failed:
        return ()
    parts = (("worker", failure.worker), ("rank", failure.rank), ("node", failure.node), ("exit code", failure.exit_code))
    place = ", ".join(f"{what} {value}" for what, value in parts if value is not None)
    tail = failure.log_tail.strip().splitlines()[-3:]
    said = " | ".join(line.strip() for line in tail)
    told = "; ".join(part for part in (place, f"last lines: {said}" if said else "") if part)
    return (Evidence(f"attempt {failure.attempt}", failure.cause, told, at=run.status.completion_time),) if told else ()


def _of_restart(run: TrainingRun, *, failed: bool) -> tuple[Evidence, ...]:
    """What has ended the attempt before, of a run that goes on."""
    if failed or not run.status.history:
        return ()
    last = run.status.history[-1]
    if last.outcome not in ("Restarted", "Failed"):
        return ()
    return (Evidence(f"attempt {last.attempt}", last.cause, last.message, at=last.completion_time),)


def _moment(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
