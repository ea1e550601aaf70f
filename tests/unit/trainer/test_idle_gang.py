"""A gang that has nothing to exchange asks less and less often: `trainer-image/horovod/idle.patch`.

Seven seconds, of which it sleeps six.
"""

import json
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from tests.unit.trainer.idle_rank import EXCHANGES
from tests.unit.trainer.starting import Start

CYCLE_MICROSECONDS = 1000
"""Horovod's own."""


def test_it_asks_at_once_while_it_exchanges_and_less_and_less_often_while_it_does_not(start: Start, tmp_path: Path) -> None:
    timeline = tmp_path / "timeline.json"
    # Only rank 0 writes, but they wait for ever unless all are told.
    told = {"HOROVOD_TIMELINE": str(timeline), "HOROVOD_TIMELINE_MARK_CYCLES": "1"}
    start(rank="tests.unit.trainer.idle_rank", variables={0: told, 1: told}).wait()
    events = json.loads(timeline.read_text())
    asked, exchanged = times(events, "CYCLE_START"), times(events, "GLOO_ALLREDUCE")
    assert len(exchanged) >= EXCHANGES  # the timeline may miss the last one
    began, ended = max(pairwise([*exchanged, asked[-1]]), key=lambda pause: pause[1] - pause[0])
    busy = [each for each in asked if exchanged[0] <= each <= began]
    idle = [each for each in asked if began <= each <= ended][-60:-10]
    assert median(gaps(idle)) > 3 * CYCLE_MICROSECONDS
    assert median(gaps(busy)) < median(gaps(idle)) / 2


def times(events: list[dict[str, Any]], name: str) -> list[int]:
    """When something happened, in microseconds."""
    return [event["ts"] for event in events if event.get("name") == name]


def gaps(moments: list[int]) -> list[int]:
    return [later - earlier for earlier, later in pairwise(moments)]
