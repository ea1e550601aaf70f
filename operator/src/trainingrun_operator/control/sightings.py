"""When the operator first saw what it counts time from, by its own clock: nodes and API servers have clocks of their own.

It is kept in memory. An operator that takes over begins to count anew, and then only waits longer.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from trainingrun_operator.sight import Sight

Key = tuple[str, str]


class Sightings:
    """First sights by run."""

    def __init__(self, *, now: Callable[[], datetime]) -> None:
        self._now = now
        self._first: dict[Key, Mapping[Sight, datetime]] = {}

    def note(self, key: Key, sights: Iterable[Sight]) -> Mapping[Sight, datetime]:
        """When each of what is there now was seen first; what is not there any more is forgotten."""
        known, now = self._first.get(key, {}), self._now()
        self._first[key] = {sight: known.get(sight, now) for sight in sights}
        return self._first[key]

    def forget(self, key: Key) -> None:
        """The run is not looked at any more."""
        self._first.pop(key, None)
