"""One launch: apply an object, and read when its first step was and when it had succeeded."""

from dataclasses import dataclass
from datetime import UTC, datetime

from tools.kubectl import Kubectl
from tools.launch_bench.manifests import Manifest

TIMEOUT = 300
FIRST_STEP = "first step done"
"""What the trainer and the recipe print when it is."""


@dataclass(frozen=True)
class Launch:
    """Seconds since the object was applied."""

    first_step: float
    finished: float


def launch(kubectl: Kubectl, manifest: Manifest, *, speaks: str) -> Launch:
    """Apply, wait until it has succeeded, and remove it; `speaks` selects the pod whose log tells of the first step.

    Raises KubectlError when it has not succeeded in time, RuntimeError when the log does not tell.
    """
    kind, name = manifest["kind"].lower(), manifest["metadata"]["name"]
    applied = datetime.now(UTC)
    kubectl.apply(manifest)
    kubectl.run("wait", "--for=condition=Succeeded", f"{kind}/{name}", f"--timeout={TIMEOUT}s", timeout=TIMEOUT + 10)
    finished = (datetime.now(UTC) - applied).total_seconds()
    log = kubectl.run("logs", "--timestamps", "--tail=-1", "-l", speaks.format(name=name))
    kubectl.delete(kind, name)
    kubectl.run("wait", "--for=delete", "pods", "--all", "--timeout=90s", timeout=100)
    return Launch(first_step=(moment(log) - applied).total_seconds(), finished=finished)


def moment(log: str) -> datetime:
    """When the first step was done, from a log whose lines begin with the time of the container runtime."""
    for line in log.splitlines():
        when, _, text = line.partition(" ")
        if FIRST_STEP in text:
            return datetime.fromisoformat(f"{when[:26].rstrip('Z')}+00:00")
    raise RuntimeError(f"the log does not tell of the first step:\n{log[-2000:]}")
