"""A cluster made by kind: on Docker with kind's public node image, or on podman with a node image that is built here."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from cluster.errors import ClusterError
from cluster.images import reference_of
from cluster.kind.engine import Engine
from cluster.kind.engine import choose as choose_engine
from cluster.loaded import Loaded, stamp_of
from cluster.shell import run

READY_TIMEOUT = 120
"""Seconds that `kind create` waits for the node."""


@dataclass(frozen=True)
class KindCluster:
    """See `cluster.backend.Cluster` for what the methods promise."""

    name: str
    cache: Path

    def up(self) -> None:
        """Create the cluster unless it exists; one whose creation was interrupted is made anew.

        Raises ClusterError for one that exists and does not answer: it may hold what somebody wants to keep.
        """
        engine = choose_engine(self.cache)
        engine.prepare()
        if self._exists(engine):
            if self.kubeconfig().exists():
                self._check(engine)
                return
            self._delete(engine)
        self.kubeconfig().parent.mkdir(parents=True, exist_ok=True)
        self._loaded().forget()
        waiting = ("--wait", f"{READY_TIMEOUT}s")
        self._kind(engine, "create", "cluster", *self._names(), *engine.creation(), *waiting, timeout=600)

    def down(self) -> None:
        """Delete the cluster."""
        engine = choose_engine(self.cache)
        if engine.is_there():
            self._delete(engine)
            if not self._kind(engine, "get", "clusters").split():
                engine.clean()

    def status(self) -> list[tuple[str, str]]:
        """Whether it exists."""
        engine = choose_engine(self.cache)
        known = engine.is_there() and self._exists(engine)
        return [("cluster", "up" if known else "down: `make cluster-up` makes it")]

    def load(self, archive: Path) -> None:
        """Load the archive into kind's nodes, unless they have it."""
        reference, stamp = reference_of(archive), stamp_of(archive)
        loaded = self._loaded().stamps()
        if loaded.get(reference) != stamp:
            self._kind(choose_engine(self.cache), "load", "image-archive", str(archive), "--name", self.name, timeout=600)
            self._loaded().write({**loaded, reference: stamp})

    def kubeconfig(self) -> Path:
        """A kubeconfig of its own: the user's is left alone."""
        return self.cache / "clusters" / f"{self.name}.kind.kubeconfig"

    def kubectl(self) -> str:
        """The user's kubectl, or the one that belongs to the node image."""
        return choose_engine(self.cache).kubectl()

    def logs(self, component: str) -> Path:
        """The log as it is now in the first node that has it: kind copies all logs out of its nodes."""
        folder = self._logs()
        self._kind(choose_engine(self.cache), "export", "logs", str(folder), "--name", self.name)
        logs = {path.stem: path for path in sorted(folder.glob("*/*.log"), reverse=True)}
        if component not in logs:
            raise ClusterError(
                f"{self.name} has no log of {component!r}: there are {', '.join(sorted(logs))}; others are in {folder}."
            )
        return logs[component]

    def volume(self, *, claim: str, namespace: str, size: str = "10Gi") -> None:
        """Nothing to do: kind's default storage class makes volumes for claims."""

    def _check(self, engine: Engine) -> None:
        try:
            run([engine.kubectl(), "--kubeconfig", self.kubeconfig(), "get", "--raw=/readyz"], timeout=20)
        except ClusterError as silent:
            raise ClusterError(
                f"The kind cluster {self.name} exists and does not answer ({silent}): start its containers again, or remove it "
                "with `make cluster-down`, volumes included, and make a new one."
            ) from silent

    def _exists(self, engine: Engine) -> bool:
        return self.name in self._kind(engine, "get", "clusters").split()

    def _delete(self, engine: Engine) -> None:
        self._kind(engine, "delete", "cluster", *self._names())
        self.kubeconfig().unlink(missing_ok=True)
        self._loaded().forget()
        shutil.rmtree(self._logs(), ignore_errors=True)

    def _logs(self) -> Path:
        return self.cache / "kind" / "logs" / self.name

    def _loaded(self) -> Loaded:
        return Loaded(self.cache / "clusters" / f"{self.name}.kind.images.json")

    def _names(self) -> tuple[str, ...]:
        return ("--name", self.name, "--kubeconfig", str(self.kubeconfig()))

    def _kind(self, engine: Engine, *arguments: str, timeout: float = 120) -> str:
        return run([engine.kind(), *arguments], timeout=timeout, environment=engine.environment())
