"""Signs of life of a process that waits for storage, left with worker 0, whose report is then renewed.

A rank that waits takes no steps, and neither do those that wait for it: without a word it would be taken for a hang. It waits
no longer than its patience.
"""

import threading
import time
from collections.abc import Mapping
from typing import Self

from trainingrun_trainer.agent.rendezvous import BOARD_VARIABLE, WAITING, Board, board_address

_PAUSE_SECONDS = 1.0


class Signs:
    """Called whenever there is life; tells worker 0 about once a second, whichever thread calls."""

    def __init__(self, board: Board | None) -> None:
        """Without a board nobody is told."""
        self._board = board
        self._next = 0.0
        self._lock = threading.Lock()

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Self:
        """Those of a rank, which knows where the board is."""
        if BOARD_VARIABLE not in environment:
            return cls(None)
        host, port = board_address(environment)
        return cls(Board(worker=0, host=host, port=port))

    def __call__(self) -> None:
        """One that gets lost is made up for by the next."""
        with self._lock:
            if self._board is None or time.monotonic() < self._next:
                return
            self._next = time.monotonic() + _PAUSE_SECONDS
        self._board.put(WAITING, b"alive")
