"""A CRD that is older than the operator: fields of a status that it does not know are left out, and all else is written.

The API server drops such fields where somebody writes a whole object, and refuses a server-side apply that has one, with 500.
Runs would stay as they are, without a word, until somebody applies the CRDs of the release.
"""

import logging
import re
import time
from collections.abc import Callable, Iterable
from typing import Any

from trainingrun_operator.cluster.port import BusyError
from trainingrun_operator.model import Manifest

log = logging.getLogger(__name__)

Path = tuple[str, ...]

_UNDECLARED = re.compile(r"\.status((?:\.\w+|\[[^\]]*\])+): field not declared in schema")
_ITEM = re.compile(r"\[[^\]]*\]")
_REMEMBERED_SECONDS = 60.0
"""How long a field is left out before it is tried again: the CRDs may have been applied meanwhile."""


def undeclared_fields(message: str) -> tuple[Path, ...]:
    """The fields below status of which an API server says that the schema has none; those of all items of a list are one."""
    found = (_ITEM.sub("", path).strip(".").split(".") for path in _UNDECLARED.findall(message))
    return tuple(dict.fromkeys(map(tuple, found)))


class UndeclaredError(BusyError):
    """The CRD has not these fields."""

    def __init__(self, message: str, *, fields: tuple[Path, ...]) -> None:
        super().__init__(message)
        self.fields = fields


class KnownFields:
    """What the CRD in the cluster is known to lack."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._missing: dict[Path, float] = {}

    def learn(self, fields: Iterable[Path]) -> bool:
        """Leave these fields out from now on; returns whether any of them is new."""
        new = [field for field in fields if not self._is_missing(field)]
        for field in new:
            self._missing[field] = self._clock()
            log.warning(
                "the CRD in the cluster is older than this operator and has no status.%s, which is left out: apply the CRDs of "
                "the operator's release",
                ".".join(field),
            )
        return bool(new)

    def known(self, status: Manifest) -> Manifest:
        """The status without what is missing."""
        for field in self._missing:
            if self._is_missing(field):
                status = _without(status, field)
        return status

    def _is_missing(self, field: Path) -> bool:
        return self._clock() - self._missing.get(field, float("-inf")) < _REMEMBERED_SECONDS


def _without(value: Any, path: Path) -> Any:
    """A copy without the field, in an object or in all objects of a list."""
    if isinstance(value, list):
        return [_without(item, path) for item in value]
    if not isinstance(value, dict) or path[0] not in value:
        return value
    if len(path) == 1:
        return {name: child for name, child in value.items() if name != path[0]}
    return {**value, path[0]: _without(value[path[0]], path[1:])}
