"""The moment of the first step, as the container runtime writes it down."""

from datetime import UTC, datetime

import pytest

from tools.launch_bench.launch import moment

LOG = """2026-11-27T10:00:01.123456789Z [0] tensorflow 2.21.0
2026-11-27T10:00:04.500000001Z [0] first step done
2026-11-27T10:00:09.000000000Z [0] epoch 1: loss 0.3
"""


def test_the_first_step_is_when_the_runtime_saw_its_line() -> None:
    assert moment(LOG) == datetime(2026, 11, 27, 10, 0, 4, 500000, tzinfo=UTC)


def test_a_log_without_it_is_shown() -> None:
    with pytest.raises(RuntimeError, match="epoch 1"):
        moment(LOG.replace("first step done", ""))
