"""Where the runs are: a namespace with a claim, in a cluster with the operator."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

import cluster
from tools.install import install, make_namespace
from tools.kubectl import Kubectl, KubectlError
from tools.tuning_bench.manifests import CLAIM, Manifest
from trainingrun.api import TrainingRun

NAMESPACE = "bench-tuning"
RUN_TIMEOUT = 600.0
COMMAND = str(Path(__file__).parent.parent.parent / ".venv" / "bin" / "kubectl-trainingrun")


@contextmanager
def bench_place() -> Iterator["Place"]:
    """A cluster of its own, taken down whatever happens."""
    backend = cluster.connect()
    try:
        installation = install(backend, say=lambda step: print(step, flush=True))
        kubectl = make_namespace(installation.kubectl, NAMESPACE)
        backend.volume(claim=CLAIM, namespace=NAMESPACE)
        kubectl.apply(_claim())
        yield Place(kubectl, installation.trainer_image)
    finally:
        backend.down()


@dataclass(frozen=True)
class Place:
    """See the module. Every call has a deadline."""

    kubectl: Kubectl
    image: str
    """Of the trainer."""

    def finish(self, run: Manifest) -> TrainingRun:
        """Apply a run and wait until it has succeeded.

        Raises RuntimeError with its own words when it has not within `RUN_TIMEOUT` seconds.
        """
        name = run["metadata"]["name"]
        self.kubectl.apply(run)
        condition, limit = "--for=condition=Succeeded", f"--timeout={RUN_TIMEOUT:.0f}s"
        try:
            self.kubectl.run("wait", condition, f"trainingrun/{name}", limit, timeout=RUN_TIMEOUT + 10)
        except KubectlError as late:
            failure = TrainingRun.parse(self.kubectl.get("trainingrun", name) or {}).status.failure
            raise RuntimeError(f"{name} has not succeeded: {failure.message if failure else late}") from late
        return TrainingRun.parse(self.kubectl.get("trainingrun", name) or {})

    def read(self, run: TrainingRun, file: str) -> bytes:
        """A file that a run has left on its output."""
        claim = run.spec.output.persistent_volume_claim
        assert claim is not None, "the manifests say so"
        source = f"pvc/{claim.claim_name}:{claim.path}/{run.metadata.name}/{file}"
        with TemporaryDirectory() as folder:
            scope = ("--kubeconfig", str(self.kubectl.kubeconfig), "--namespace", NAMESPACE)
            # The trainer's environment, in which this runs, has no client.
            subprocess.run([COMMAND, "cp", source, folder, "--image", self.image, *scope], check=True, timeout=300)
            return Path(folder, PurePosixPath(file).name).read_bytes()

    def clear(self) -> None:
        """Delete all runs, and their pods with them."""
        self.kubectl.run("delete", "trainingruns", "--all", "--timeout=120s", timeout=130)


def _claim() -> Manifest:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": CLAIM}, "spec": spec}
