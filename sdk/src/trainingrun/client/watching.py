"""A watch that goes on: over versions that the API server has forgotten, and over connections that break."""

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from math import ceil
from typing import NamedTuple

from trainingrun.client.errors import ExpiredError, UnreachableError
from trainingrun.client.port import Cluster, Kind, Object

MOST_PAUSE = 10.0
"""Seconds between two tries to reach an API server that does not answer, at most."""

WATCH_SECONDS = 240
"""Of one watch: the API server ends it, and it goes on from the newest version that was seen."""


class Change(NamedTuple):
    """An object as it is now."""

    found: Object
    is_gone: bool = False
    """Whether it has been deleted; `found` is how it was last seen."""


def changes(
    cluster: Cluster,
    kind: Kind,
    *,
    namespace: str | None = None,
    name: str | None = None,
    labels: Mapping[str, str] | None = None,
    patience: float | None = None,
    at_most: float | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> Generator[Change]:
    """Every object as it is, then anew after every change; ends after `at_most` seconds (None: never).

    Nothing is polled: a list, then a watch from its version. Where the API server has forgotten the version, or the connection
    breaks, it lists again, and tells what has changed or gone meanwhile. Raises UnreachableError when the first list fails, and
    when the API server has not answered for `patience` seconds (None: for ever).
    """
    fields = {"metadata.name": name} if name is not None else None
    seen: dict[str, Object] = {}
    has_listed, wait = False, 0.5
    silent_since: float | None = None
    end = None if at_most is None else time.monotonic() + at_most
    while _left(end) > 0:
        try:
            listed = cluster.list(kind, namespace=namespace, labels=labels, fields=fields)
            has_listed, wait, silent_since = True, 0.5, None
            yield from _since_last(seen, listed.items)
            version = listed.resource_version
            while (seconds := _left(end)) > 0:
                for event, found in cluster.watch(
                    kind, since=version, seconds=seconds, namespace=namespace, labels=labels, fields=fields
                ):
                    version = _version(found)
                    yield from _noted(seen, found, is_gone=event == "DELETED")
        except ExpiredError:
            pass
        except UnreachableError:
            silent_since = time.monotonic() if silent_since is None else silent_since
            if not has_listed or (patience is not None and time.monotonic() - silent_since > patience):
                raise
            pause(wait)
            wait = min(2 * wait, MOST_PAUSE)


def _left(end: float | None) -> int:
    """Whole seconds of the next watch; 0 when the time is over."""
    return WATCH_SECONDS if end is None else min(WATCH_SECONDS, max(0, ceil(end - time.monotonic())))


def _since_last(seen: dict[str, Object], items: Sequence[Object]) -> Iterator[Change]:
    """What a new list says that is not known."""
    there = {_uid(item) for item in items}
    for uid in [uid for uid in seen if uid not in there]:
        yield Change(seen.pop(uid), is_gone=True)
    for item in items:
        yield from _noted(seen, item, is_gone=False)


def _noted(seen: dict[str, Object], found: Object, *, is_gone: bool) -> Iterator[Change]:
    uid, before = _uid(found), seen.get(_uid(found))
    if is_gone:
        seen.pop(uid, None)
        yield Change(found, is_gone=True)
    elif before is None or _version(before) != _version(found):
        seen[uid] = found
        yield Change(found)


def _uid(found: Object) -> str:
    return str(found["metadata"].get("uid", found["metadata"]["name"]))


def _version(found: Object) -> str:
    return str(found["metadata"].get("resourceVersion", ""))
