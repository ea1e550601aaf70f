"""KWOK: a node that does not exist, and a kubelet that only pretends. Pods become ready at once, and go when told to."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cluster
from cluster import binaries
from cluster.processes import Process
from tools.kubectl import Kubectl

NODE = "kwok"
CPU = "5000"
"""CPU that a worker asks for, so that it fits on no node that exists."""

_STAGES = Path(__file__).parent / "stages.yaml"


@contextmanager
def kwok(admin: Kubectl, *, folder: Path) -> Iterator[None]:
    """The fake node is there while the context lasts; `folder` is for the log of its kubelet."""
    program = binaries.ensure_extra(binaries.KWOK, cache=cluster.cache_folder())["kwok"]
    process = Process(name="kwok", folder=folder, logs=folder)
    process.start(
        [
            *(program, "--kubeconfig", admin.kubeconfig, "--config", _STAGES),
            *("--manage-single-node", NODE, "--node-lease-duration-seconds", "40"),
        ]
    )
    try:
        admin.apply(
            {
                "apiVersion": "v1",
                "kind": "Node",
                "metadata": {"name": NODE, "annotations": {"kwok.x-k8s.io/node": "fake"}},
            }
        )
        admin.run("wait", "--for=condition=Ready", f"node/{NODE}", "--timeout=30s")
        yield
    finally:
        admin.delete("node", NODE)
        process.stop()
