"""KWOK: nodes that do not exist, and a kubelet that only pretends. Pods become ready at once, and go when told to."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cluster import binaries
from cluster.processes import Process
from images.cache import cache_folder
from tests.faults.sharing import leashed, session, shared
from tests.patience import patience
from tools.kubectl import Kubectl

NODE = "kwok"
CPU = "5000"
"""CPU that a worker asks for, so that it fits on no node that exists."""

LOST = "tests.trainingrun.dev/lost"
"""Annotation of a node that nobody plays any more, and of its pods: see `stages.yaml`."""

_FAKE = "kwok.x-k8s.io/node"
KUBELETS = {"kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
"""Labels that every kubelet gives its node."""
_STAGES = Path(__file__).parent / "stages.yaml"


@contextmanager
def kwok(admin: Kubectl, *, folder: Path) -> Iterator[None]:
    """The fake node is there while the context lasts in any process; `folder`, which they share, is for its kubelet's log."""
    process = Process(name="kwok", folder=folder, logs=folder)

    def up() -> None:
        program = binaries.ensure_extra(binaries.KWOK, cache=cache_folder())["kwok"]
        command: list[str | Path] = [
            *(program, "--kubeconfig", admin.kubeconfig, "--config", _STAGES),
            *("--manage-nodes-with-annotation-selector", f"{_FAKE}=fake", "--node-lease-duration-seconds", "40"),
        ]
        process.start(leashed(command, to=session()))
        _add(admin, FakeNode(NODE))

    def down() -> None:
        _remove(admin, FakeNode(NODE))
        process.stop()

    with shared(folder, up=up, down=down):
        yield


@dataclass(frozen=True)
class FakeNode:
    """A node, and what it offers besides more CPU and memory than any other."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    resources: Mapping[str, str] = field(default_factory=dict)
    taint: str | None = None
    """Key of a taint that keeps pods away which do not tolerate it."""


@contextmanager
def fake_nodes(admin: Kubectl, *nodes: FakeNode) -> Iterator[None]:
    """These nodes are ready while the context lasts, within that of `kwok`."""
    try:
        _add(admin, *nodes)
        yield
    finally:
        _remove(admin, *nodes)


def _add(admin: Kubectl, *nodes: FakeNode) -> None:
    admin.apply(*map(_manifest, nodes))
    seconds = patience(60)
    admin.run("wait", "--for=condition=Ready", *_names(nodes), f"--timeout={seconds:.0f}s", timeout=seconds + 10)
    for node in nodes:
        offered = json.dumps({"status": {"capacity": node.resources, "allocatable": node.resources}})
        admin.run("patch", f"node/{node.name}", "--subresource=status", "--type=merge", "--patch", offered)


def _remove(admin: Kubectl, *nodes: FakeNode) -> None:
    admin.run("delete", *_names(nodes), "--ignore-not-found")


def _names(nodes: Iterable[FakeNode]) -> list[str]:
    return [f"node/{node.name}" for node in nodes]


def _manifest(node: FakeNode) -> dict[str, Any]:
    taints = [{"key": node.taint, "value": "present", "effect": "NoSchedule"}] if node.taint is not None else []
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": node.name, "labels": {**KUBELETS, **node.labels}, "annotations": {_FAKE: "fake"}},
        "spec": {"taints": taints},
    }
