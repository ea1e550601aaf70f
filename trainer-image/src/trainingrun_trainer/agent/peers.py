"""How the other workers of the attempt are, as an agent learns from the board."""

import time
from typing import Literal

from trainingrun_trainer.agent import rendezvous

PEER_POLL_SECONDS = 0.5
PEER_SILENCE_SECONDS = 10.0
"""Worker 0 may be busy, but an agent that does not answer for this long is gone."""


class Peers:
    """Watches the other workers through the board, at most twice a second."""

    def __init__(self, board: rendezvous.Board, *, worker: int) -> None:
        self._board = board
        self._worker = worker
        self._checked_in = False
        self._next = 0.0
        self._answered = time.monotonic()

    def news(self) -> Literal["stopped", "failed"] | None:
        """How another worker has ended; one that fails counts for more.

        Worker 0, once met, has failed when it has not answered for some seconds.
        """
        now = time.monotonic()
        if now < self._next:
            return None
        self._next = now + (rendezvous.RETRY_INTERVAL if not self._checked_in else PEER_POLL_SECONDS)
        if not self._checked_in:
            self._checked_in = self._board.write("here")
            self._answered = now
            return None
        states = self._board.read()
        if states is None:
            return "failed" if now - self._answered > PEER_SILENCE_SECONDS else None
        self._answered = now
        others = [state for worker, state in states.items() if worker != self._worker]
        return "failed" if "failed" in others else "stopped" if "stopped" in others else None
