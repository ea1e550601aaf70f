"""Can the workers ever run on the nodes that there are? Only asked when the scheduler finds no place.

It judges empty nodes: what runs there now may end. A cluster may also grow, so that nothing fits is a sentence and never final.
"""

from collections.abc import Sequence
from decimal import Decimal

from trainingrun_operator.life import Life
from trainingrun_operator.node import Node
from trainingrun_operator.policies.claims import binding_claim
from trainingrun_operator.policies.demand import Requirement, requests, requirements

_NAMED = 3
"""Cordoned nodes, of which there may be many."""


def why_nothing_fits(life: Life) -> str | None:
    """What a worker, or all of them together, need and no empty node has; None when they fit, or nobody may look."""
    nodes = list(life.observed.nodes or ())
    if not nodes:
        return None
    for requirement in requirements(life.run, attempt=life.attempt, config=life.config):
        fitting = [node for node in nodes if requirement.is_met(node)]
        if not fitting:
            return _sentence(requirement, nodes)
        nodes = fitting
    return _closed(life, nodes) or _too_few(life, nodes)


def _sentence(requirement: Requirement, nodes: Sequence[Node]) -> str:
    return f"it needs {requirement.asks}; {requirement.offers(nodes)}."


def _closed(life: Life, nodes: Sequence[Node]) -> str | None:
    """Nodes that would do if nobody had cordoned them."""
    closed = [node.name for node in nodes if node.is_cordoned]
    if not closed or _too_few(life, nodes) is not None:
        return None
    found = f"{', '.join(closed[:_NAMED])}{f' and {len(closed) - _NAMED} more' if len(closed) > _NAMED else ''}"
    way_out = f"`kubectl uncordon` lets pods on {'them' if len(closed) > 1 else 'it'} again."
    if len(closed) == len(nodes):
        return f"every node that fits is cordoned: {found}. {way_out}"
    few = _too_few(life, [node for node in nodes if not node.is_cordoned])
    return None if few is None else f"{few} Cordoned: {found}. {way_out}"


def _too_few(life: Life, nodes: Sequence[Node]) -> str | None:
    """All workers run at once: the nodes that fit must have room for all of them."""
    workers = life.run.spec.workers
    asked = {resource: needed for resource, needed in requests(workers).items() if needed > 0}
    if not asked:
        return None
    rooms = [_places(node, asked) for node in nodes]
    binding = binding_claim(life)
    if binding is not None and max(rooms) < workers.replicas:
        path, claim = binding
        return (
            f"the {workers.replicas} workers must be on one node, because the claim {claim.name} ({path}) is "
            f"{', '.join(claim.access_modes)}, and the largest has room for {max(rooms)} of them when empty. Make the claim "
            "ReadWriteMany, or read from and write to an object store."
        )
    if sum(rooms) >= workers.replicas:
        return None
    return f"the {workers.replicas} workers run at once, and the nodes that fit have room for {sum(rooms)} of them when empty."


def _places(node: Node, asked: dict[str, Decimal]) -> int:
    """Workers that an empty node can hold."""
    return min(int(node.has(resource) // needed) for resource, needed in asked.items())
