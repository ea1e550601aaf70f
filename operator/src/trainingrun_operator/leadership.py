"""Whether this process leads, by a clock that nobody can set. Pure but for the clock."""

import time
from collections.abc import Callable


class Leadership:
    """What the election has heard and written last."""

    def __init__(self, *, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """The Lease counts as held for so many seconds after a renewal was begun: by then nobody else may have taken it."""
        self.now = clock
        self._seconds = seconds
        self._renewed: float | None = None
        self._heard: float | None = None
        self._why = "nobody has asked it yet"
        self._has_begun = False

    def begin(self) -> None:
        """The work begins."""
        self._has_begun = True

    def renew(self, *, since: float) -> None:
        """A write of the Lease in our name, begun at a moment of the clock, has been accepted."""
        self._renewed, self._heard = since, self.now()

    def hear(self, holder: str | None, *, own: str) -> None:
        """The API server has told who holds the Lease; None: nobody."""
        self._heard = self.now()
        if self._has_begun and holder not in (None, own):
            self._renewed = None

    def miss(self, why: str) -> None:
        """The API server has not told who holds it."""
        self._why = why

    @property
    def is_held(self) -> bool:
        """Whether the Lease is ours for certain."""
        return self._renewed is not None and self.now() - self._renewed < self._seconds

    @property
    def may_write(self) -> bool:
        """Whether the work may change anything. A process that was held up finds out here, before its timers do."""
        return self.is_held or not self._has_begun

    @property
    def obstacle(self) -> str | None:
        """Why it is possible neither to lead nor to stand by, in a sentence."""
        if self._heard is not None and self.now() - self._heard < 2 * self._seconds:
            return None
        return f"The API server does not tell who holds the Lease: {self._why}."
