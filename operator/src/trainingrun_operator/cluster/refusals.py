"""What the API server's refusals mean."""

import json
import re

from trainingrun_operator.cluster.port import (
    AlreadyExistsError,
    BusyError,
    ClusterError,
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
)
from trainingrun_operator.cluster.skew import UndeclaredError, undeclared_fields

_DENIED = re.compile(r"\bdenied (the )?request\b")
"""What admission webhooks and policies say, with whatever code: they may say otherwise tomorrow."""


def error_of(code: int, content: bytes, *, verb: str, path: str, retry_after: str | None) -> ClusterError:
    """The error of a refusal, with the API server's own words."""
    try:
        message = json.loads(content).get("message", "")
    except ValueError:
        message = content.decode(errors="replace")[:200]
    text = f"{verb} {path}: {code} {message}"
    match code:
        case 404:
            return NotFoundError(text)
        case 409:
            return AlreadyExistsError(text) if verb == "POST" else ConflictError(text)
        case 400 | 422 if _DENIED.search(message):
            return ForbiddenError(text)
        case 400 | 422:
            return InvalidError(text)
        case 403:
            return ForbiddenError(text)
        case 500 if fields := undeclared_fields(message):
            return UndeclaredError(text, fields=fields)
        case _:
            return BusyError(text, retry_after=float(retry_after) if retry_after and retry_after.isdigit() else None)
