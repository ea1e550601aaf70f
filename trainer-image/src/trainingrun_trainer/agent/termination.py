"""The termination message: the agent's last word, in at most 4,096 bytes. Pure.

The kubelet keeps the tail of a longer message, and a JSON without its head is worth nothing: so parts are left out whole, the
least telling first. A result with six artifacts and all their metrics has about 2,800 bytes (8,500 with the longest uris), a
record without it 850: what has been found on the way goes first, as status and `result.json` have it already.
"""

import json
from collections.abc import Callable, Iterator

from trainingrun.api import Result
from trainingrun.api.base import to_wire
from trainingrun.contract import TERMINATION_MESSAGE_LIMIT, FinalRecord
from trainingrun.contract_version import CONTRACT

LOG_LINES = (20, 10, 5, 2, 0)
MESSAGE_CHARACTERS = 500
TELLING_METRICS = ("accuracy", "loss")

Shortening = Callable[[FinalRecord], FinalRecord]


def encode(record: FinalRecord, *, limit: int = TERMINATION_MESSAGE_LIMIT) -> bytes:
    """The record as JSON of at most `limit` bytes; a result stays a result, however little is left of it."""
    signed = record.model_copy(update={"contract_version": CONTRACT})
    for candidate in (signed, *_shorter(signed)):
        encoded = json.dumps(to_wire(candidate), ensure_ascii=False, separators=(",", ":")).encode()
        if len(encoded) <= limit:
            return encoded
    raise AssertionError("a record without its optional parts fits")


def _shorter(record: FinalRecord) -> Iterator[FinalRecord]:
    """The record with ever less in it, in the order that the contract gives."""
    artifacts = len(record.result.artifacts) if record.result is not None else 0
    shortenings: list[Shortening] = [
        *(_with_log(lines) for lines in LOG_LINES),
        _without_reasons,
        _without_best_trial,
        lambda record: record.model_copy(update={"choices": ()}),
        lambda record: record.model_copy(update={"tuning": None}),
        _with_result(_with_telling_metrics),
        lambda record: record.model_copy(update={"hint": ""}),
        *[_with_result(_without_an_artifact)] * artifacts,
        _with_result(lambda result: result.model_copy(update={"metrics": ()})),
        lambda record: record.model_copy(update={"message": record.message[:MESSAGE_CHARACTERS]}),
    ]
    for shorten in shortenings:
        record = shorten(record)
        yield record


def _with_log(lines: int) -> Shortening:
    """Keep the last lines of the log only."""

    def shorten(record: FinalRecord) -> FinalRecord:
        kept = record.log_tail.splitlines()[-lines:] if lines else []
        return record.model_copy(update={"log_tail": "\n".join(kept)})

    return shorten


def _without_reasons(record: FinalRecord) -> FinalRecord:
    return record.model_copy(update={"choices": tuple(each.model_copy(update={"reason": ""}) for each in record.choices)})


def _without_best_trial(record: FinalRecord) -> FinalRecord:
    if record.tuning is None:
        return record
    return record.model_copy(update={"tuning": record.tuning.model_copy(update={"best": None})})


def _with_result(shorten: Callable[[Result], Result]) -> Shortening:
    """Shorten the result, if there is one."""

    def applied(record: FinalRecord) -> FinalRecord:
        return record if record.result is None else record.model_copy(update={"result": shorten(record.result)})

    return applied


def _with_telling_metrics(result: Result) -> Result:
    """Without latencies and the like."""
    kept = tuple(
        each.model_copy(update={"metrics": tuple(metric for metric in each.metrics if metric.name in TELLING_METRICS)})
        for each in result.artifacts
    )
    return result.model_copy(update={"artifacts": kept})


def _without_an_artifact(result: Result) -> Result:
    """Without the last one that is not the best."""
    others = [number for number, each in enumerate(result.artifacts) if each is not result.best]
    gone = max(others, default=0)
    return result.model_copy(update={"artifacts": result.artifacts[:gone] + result.artifacts[gone + 1 :]})
