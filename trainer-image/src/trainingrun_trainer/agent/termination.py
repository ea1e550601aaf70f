"""The termination message: the agent's last word, in at most 4,096 bytes. Pure.

The kubelet keeps the tail of a longer message, and a JSON without its head is worth nothing: so parts are left out whole, the
least telling first.
"""

import json

from trainingrun.api.base import to_wire
from trainingrun.contract import TERMINATION_MESSAGE_LIMIT, FinalRecord


def encode(record: FinalRecord, *, limit: int = TERMINATION_MESSAGE_LIMIT) -> bytes:
    """The record as JSON of at most `limit` bytes."""
    for candidate in (record, *_shorter(record)):
        encoded = json.dumps(to_wire(candidate), ensure_ascii=False, separators=(",", ":")).encode()
        if len(encoded) <= limit:
            return encoded
    raise AssertionError("a record without its optional parts fits")


def _shorter(record: FinalRecord) -> list[FinalRecord]:
    """The record with ever less in it, in the order that the contract gives."""
    lines = record.log_tail.splitlines()
    shorter = [
        record.model_copy(update={"log_tail": "\n".join(lines[-count:])}) for count in (20, 10, 5, 2) if count < len(lines)
    ]
    bare = record.model_copy(update={"log_tail": ""})
    shorter.append(bare)
    bare = bare.model_copy(update={"hint": ""})
    shorter.append(bare)
    bare = bare.model_copy(update={"choices": ()})
    shorter.append(bare)
    bare = bare.model_copy(update={"tuning": None})
    shorter.append(bare)
    if bare.result is not None:
        bare = bare.model_copy(update={"result": bare.result.model_copy(update={"artifacts": ()})})
        shorter.append(bare)
        bare = bare.model_copy(update={"result": None})
        shorter.append(bare)
    shorter.append(bare.model_copy(update={"message": bare.message[:500]}))
    return shorter
