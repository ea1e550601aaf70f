"""How many workers the nodes hold when they are empty."""

from dataclasses import replace
from typing import Any

import pytest

from tests.builders import CONFIG, NOON, a_claim, an_active_run
from trainingrun_operator.life import phase_of
from trainingrun_operator.observe import observe, observe_nodes
from trainingrun_operator.policies.fit import why_nothing_fits


def room_for_two(*, nodes: int, **allocatable: str) -> str | None:
    """What is said of two workers of 4 CPUs and 8Gi."""
    workers: dict[str, Any] = {"replicas": 2, "resources": {"requests": {"cpu": "4", "memory": "8Gi"}}}
    node = {
        "metadata": {"name": "n", "labels": {"kubernetes.io/os": "linux"}},
        "spec": {},
        "status": {"allocatable": allocatable},
    }
    observed = observe(children=(), pods=(), claims={"models": a_claim(modes=("ReadWriteMany",))})
    observed = replace(observed, nodes=observe_nodes([node] * nodes))
    return why_nothing_fits(phase_of(an_active_run(spec__workers=workers), observed, now=NOON, config=CONFIG))


@pytest.mark.parametrize(("cpu", "memory"), [("4", "64Gi"), ("32", "8Gi")], ids=["processors", "memory"])
def test_a_node_holds_as_many_workers_as_what_it_has_least_of(cpu: str, memory: str) -> None:
    assert room_for_two(nodes=1, cpu=cpu, memory=memory) == (
        "the 2 workers run at once, and the nodes that fit have room for 1 of them when empty."
    )
    assert room_for_two(nodes=2, cpu=cpu, memory=memory) is None
