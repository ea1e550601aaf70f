"""Runs of a cluster, from Python."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from trainingrun.api import TrainingPreset, TrainingRun
from trainingrun.client import manifests
from trainingrun.client.errors import UsageError
from trainingrun.client.port import ALL, PRESET, RUN, Cluster, Object
from trainingrun.client.run import Run
from trainingrun.client.watching import changes


class TrainingClient:
    """Creates, finds and follows runs, with the rights of one user in one namespace.

    All methods raise UnreachableError when the API server does not answer and RefusedError when it says no; the text is a
    sentence for people.
    """

    def __init__(
        self,
        *,
        namespace: str | None = None,
        context: str | None = None,
        kubeconfig: str | Path | None = None,
        cluster: Cluster | None = None,
    ) -> None:
        """By default the current context of the kubeconfig, and its namespace; inside a cluster without one, that cluster."""
        if cluster is None:
            from trainingrun.client.kube import KubeCluster

            cluster = KubeCluster(kubeconfig=kubeconfig, context=context, namespace=namespace)
        self.cluster = cluster
        self.namespace = namespace or cluster.namespace

    def close(self) -> None:
        """Close all connections."""
        self.cluster.close()

    def train(self, name: str, *, preset: str | None = None, **spec: Any) -> Run:
        """Create a run of Python values, the fields of `spec`, for example `training={"epochs": 20}`."""
        return self.create(manifests.made(name, preset=preset, **spec))

    def create(self, manifest: Object, *, dry_run: bool = False) -> Run:
        """Create a run; `dry_run` only asks the API server whether it would."""
        return self._run(self.cluster.create(RUN, manifest, namespace=self._place(manifest), dry_run=dry_run))

    def apply(self, manifest: Object, *, dry_run: bool = False) -> Run:
        """Create a run, or make it as the manifest says."""
        return self._run(self.cluster.apply(RUN, manifest, namespace=self._place(manifest), dry_run=dry_run))

    def get(self, name: str) -> Run:
        """The run of this name."""
        return self._run(self.cluster.get(RUN, name, namespace=self.namespace))

    def runs(self, *, all_namespaces: bool = False) -> list[Run]:
        """All runs of the namespace, or of all."""
        namespace = ALL if all_namespaces else self.namespace
        return [self._run(item) for item in self.cluster.list(RUN, namespace=namespace).items]

    def watch(self, *, all_namespaces: bool = False, timeout: float | None = None) -> Iterator[TrainingRun]:
        """Every run as it is, then after every change."""
        namespace = ALL if all_namespaces else self.namespace
        for change in changes(self.cluster, RUN, namespace=namespace, at_most=timeout):
            if not change.is_gone:
                yield manifests.understood(change.found)

    def presets(self) -> list[TrainingPreset]:
        """All presets of the cluster, of those that this release understands."""
        return [TrainingPreset.model_validate(item) for item in self.cluster.list(PRESET).items]

    def _run(self, found: Object) -> Run:
        return Run(self.cluster, found, namespace=self.namespace)

    def _place(self, manifest: Object) -> str:
        said = manifest["metadata"].get("namespace")
        if said is not None and not isinstance(said, str):
            raise UsageError(f"metadata.namespace is {said!r}, but has to be a name.")
        return said or self.namespace
