"""Which Events about waits are news: a run that waits for this and that by turns does not fill the list of Events.

It is kept in memory: an operator that takes over may tell of a wait once more.
"""

from datetime import datetime, timedelta

from trainingrun_operator.decision import Event

QUIET = timedelta(minutes=10)
"""How long nothing is told a second time."""

_Told = tuple[str, str, str]


class Telling:
    """What was told of which run, and when."""

    def __init__(self) -> None:
        self._told: dict[_Told, datetime] = {}

    def is_news(self, uid: str, event: Event, *, now: datetime) -> bool:
        """Whether the run's users have not just been told of this. What happens once is always news."""
        if not event.may_repeat:
            return True
        self._told = {key: at for key, at in self._told.items() if now - at < QUIET}
        key = (uid, str(event.reason), event.action)
        if key in self._told:
            return False
        self._told[key] = now
        return True
