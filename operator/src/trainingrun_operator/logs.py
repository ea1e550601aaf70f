"""Structured logs: one JSON object per line, with the run that it is about."""

import json
import logging
import sys
from datetime import UTC, datetime

_KNOWN = frozenset(logging.LogRecord("", 0, "", 0, "", (), None).__dict__) | {"message", "taskName"}


class JsonFormatter(logging.Formatter):
    """A record as JSON; what is passed as `extra` becomes fields of its own."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        entry: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        entry |= {key: value for key, value in record.__dict__.items() if key not in _KNOWN and _is_plain(value)}
        if record.exc_info:
            entry["error"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


def configure(*, level: int = logging.INFO) -> None:
    """Send all logs to standard output as JSON; frameworks only speak of trouble."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("kopf", "aiohttp.access", "asyncio", "kubernetes"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | float | bool)
