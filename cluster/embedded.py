"""The embedded cluster: a real Kubernetes of one node, as processes in a network namespace of this machine."""

import fcntl
import json
import os
import shutil
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

from cluster import binaries, certificates, cgroups, dns, health, images, network, packages, volumes, waits
from cluster.api import Api
from cluster.components import COMPONENTS, GO, Component, Programs
from cluster.errors import ClusterError
from cluster.families import IpFamily
from cluster.features import NOTHING_MORE, Features
from cluster.layout import Layout, free_link, layout
from cluster.processes import Process, end
from images import mounts

UP_BYTES = 3_000_000_000


@dataclass(frozen=True)
class EmbeddedCluster:
    """One embedded cluster; see `cluster.backend.Cluster` for what its methods promise."""

    name: str
    cache: Path
    features: Features = NOTHING_MORE
    family: IpFamily | None = None
    """Of its addresses; None: those that it has, and IPv4 for a new one."""

    def up(self) -> None:
        """Start what does not run. Interrupting is safe: the next `up` or `down` goes on from there."""
        _require_root()
        self._check_family()
        if self._is_healthy():
            return
        packages.ensure()
        programs = binaries.ensure(self.cache)
        binaries.check_space(self.cache, needed=UP_BYTES, purpose="running a cluster")
        with self._lock():
            self._remove_rest()
            where = self._make_layout()
            network.make(where)
            cgroups.make(where.cgroup)
            certificates.ensure(where)
            _install_kubeconfig(where)
            end(sorted(self._strays(where, programs=programs)), grace=2)
            for component in COMPONENTS:
                self._start(component, where=where, programs=programs)
            waits.wait("the node to be ready", self._is_node_ready)
            self._check_that_all_run(where)

    def check_rights(self) -> None:
        """Raise ClusterError where no cluster could be started however much was built."""
        _require_root()

    def down(self) -> None:
        """End all processes and remove everything except the built programs and images. Interrupting is safe here too."""
        where = self._layout()
        if where is None:
            self._remove_rest()
            return
        _require_root()
        with self._lock():
            self._remove_rest()
            for component in reversed(COMPONENTS):
                self._process(component.name, where=where).stop()
            cgroups.remove(where.cgroup)
            end(sorted(network.processes(where)), grace=2)
            network.remove(where)
            _unmount(where)
            shutil.rmtree(where.run, ignore_errors=True)
            _remove_traces(where)
            where.state.rename(self._rest())
            self._remove_rest()

    def status(self) -> list[tuple[str, str]]:
        """State of the API server's node and of every component."""
        where = self._layout()
        if where is None:
            return [("cluster", f"{self.name} does not exist: `make cluster-up` makes it")]
        answering = health.answering(COMPONENTS, where=where) if where.kubeconfig.exists() else frozenset()
        rows = [(each.name, self._state(each, where=where, answers=each.name in answering)) for each in COMPONENTS]
        return [*rows, ("node", "ready" if self._is_node_ready() else "not ready"), ("server", where.server)]

    def load(self, archive: Path) -> None:
        """Import the image into containerd, unless the same archive has been imported before."""
        images.load(self.layout(), archive)

    def kubeconfig(self) -> Path:
        """Path of the administrator's kubeconfig; the cluster need not run."""
        return layout(self.name, cache=self.cache, link=IPv4Network("198.18.0.0/30")).kubeconfig

    def kubectl(self) -> str:
        """The kubectl that was built with the cluster."""
        return str(binaries.ensure(self.cache)["kubectl"])

    def logs(self, component: str) -> Path:
        """Path of the component's log."""
        names = [known.name for known in COMPONENTS]
        if component not in names:
            raise ClusterError(f"There is no component {component!r}: take one of {', '.join(names)}.")
        return self._process(component, where=self.layout()).log

    def volume(self, *, claim: str, namespace: str, size: str = "10Gi") -> None:
        """Make a folder of this machine the volume of the claim."""
        where = self.layout()
        volumes.ensure(where, Api.connect(where.kubeconfig), claim=claim, namespace=namespace, size=size)

    def volume_folder(self, *, claim: str, namespace: str) -> Path:
        """The folder of this machine that holds the claim's contents."""
        return self.layout().volumes / f"{namespace}-{claim}"

    def layout(self) -> Layout:
        """Where everything of the cluster is. Raises ClusterError when there is no cluster."""
        where = self._layout()
        if where is None:
            raise ClusterError(f"There is no cluster {self.name}: `make cluster-up` makes it.")
        return where

    def _start(self, component: Component, *, where: Layout, programs: Programs) -> None:
        for name, text in component.files(where).items():
            _write_if_changed(where.state / name, text)
        process = self._process(component.name, where=where)
        if process.pid() is not None and not waits.comes_to_answer(component, where=where):
            print(f"  {component.name} runs and does not answer: it is started again", flush=True)
            process.stop(grace=2)
        command = [*component.command(where, programs), *self.features.flags(component.name)]
        process.start(network.inside(where, command), environment={**GO, **os.environ})
        waits.wait(f"{component.name} to answer", lambda: waits.answers(component, where=where), process=process)
        if component.name == "apiserver":
            dns.publish(where, Api.connect(where.kubeconfig))
        if component.name == "containerd":
            images.load_pause(where, program=programs["pause"])

    def _strays(self, where: Layout, *, programs: Programs) -> set[int]:
        """Pids of components in the namespace whose pid files are lost: they hold the ports of those that we start."""
        ours = {self._process(component.name, where=where).pid() for component in COMPONENTS}
        names = {Path(component.command(where, programs)[0]).name for component in COMPONENTS}
        return {pid for pid in network.processes(where) - ours if _program_of(pid) in names}

    def _check_that_all_run(self, where: Layout) -> None:
        """Raise ClusterError when one has ended: then something else has answered for it."""
        for component in COMPONENTS:
            process = self._process(component.name, where=where)
            if process.pid() is None:
                raise ClusterError(f"{component.name} has ended. {waits.last_words(process)}")

    def _state(self, component: Component, *, where: Layout, answers: bool) -> str:
        process = self._process(component.name, where=where)
        pid = process.pid()
        if pid is None:
            return f"down: `make cluster-up` starts it; its log is {process.log}"
        return f"up (pid {pid})" if answers else f"silent (pid {pid}): `make cluster-up` mends it; its log is {process.log}"

    def _is_healthy(self) -> bool:
        """Whether every component runs and answers, and the node is ready."""
        where = self._layout()
        if where is None or not where.kubeconfig.exists():
            return False
        if any(self._process(component.name, where=where).pid() is None for component in COMPONENTS):
            return False
        return len(health.answering(COMPONENTS, where=where)) == len(COMPONENTS) and self._is_node_ready()

    def _is_node_ready(self) -> bool:
        where = self.layout()
        try:
            node = Api.connect(where.kubeconfig).get(f"/api/v1/nodes/{where.node_name}")
        except (OSError, urllib.error.HTTPError):
            return False
        conditions = (node or {}).get("status", {}).get("conditions", [])
        return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)

    def _process(self, name: str, *, where: Layout) -> Process:
        return Process(name=name, folder=where.state / "pids", logs=where.logs)

    def _layout(self) -> Layout | None:
        """The layout that was chosen when the cluster was made, or None when there is no cluster."""
        layout(self.name, cache=self.cache, link=IPv4Network("198.18.0.0/30"))
        try:
            chosen = json.loads(self._choice().read_text())
        except (FileNotFoundError, ValueError):
            return None
        family = IpFamily(chosen.get("family", IpFamily.IPV4))
        return layout(self.name, cache=self.cache, link=IPv4Network(chosen["link"]), family=family)

    def _check_family(self) -> None:
        """Raise ClusterError when the cluster is there and has other addresses: it keeps those it was made with."""
        where = self._layout()
        if where is not None and self.family not in (None, where.family):
            raise ClusterError(
                f"The cluster {self.name} is there and its addresses are {where.family}, not {self.family}: take it down first "
                "(`make cluster-down`), or take another name (CLUSTER_NAME=...)."
            )

    def _make_layout(self) -> Layout:
        """Choose addresses that nothing else uses, and remember the choice before anything is made."""
        where = self._layout()
        if where is not None:
            return where
        link = free_link(self.name, used=network.used_networks())
        self._choice().parent.mkdir(parents=True, exist_ok=True)
        temporary = self._choice().with_suffix(".new")
        temporary.write_text(json.dumps({"link": str(link), "family": self.family or IpFamily.IPV4}))
        temporary.replace(self._choice())
        return self.layout()

    def _rest(self) -> Path:
        """Where a state is removed: one that has lost half of its files must never be taken for a cluster."""
        return self.cache / "clusters" / f"{self.name}.removed"

    def _remove_rest(self) -> None:
        if self._rest().exists():
            shutil.rmtree(self._rest())

    def _choice(self) -> Path:
        return self.cache / "clusters" / self.name / "layout.json"

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Only one `up` or `down` at a time for one cluster; the kernel releases the lock when the process ends."""
        folder = self.cache / "clusters"
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f".{self.name}.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _require_root() -> None:
    if os.geteuid() != 0:
        raise ClusterError(
            "The embedded cluster must be run as root: it makes network namespaces, cgroups and mounts. Use sudo, or "
            "CLUSTER=kind (with Docker), or CLUSTER=existing (your current kubeconfig)."
        )


def _install_kubeconfig(where: Layout) -> None:
    where.kubeconfig.write_text((where.certificates / "admin.kubeconfig").read_text())
    where.kubeconfig.chmod(0o600)


def _write_if_changed(path: Path, text: str) -> None:
    """Write a configuration; one that is the same is left alone, because kube-proxy ends when its file is touched."""
    if not path.exists() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _program_of(pid: int) -> str:
    """Name of the program that a process runs, or nothing when it has ended."""
    try:
        return Path(os.readlink(f"/proc/{pid}/exe").removesuffix(" (deleted)")).name
    except OSError:
        return ""


def _unmount(where: Layout) -> None:
    try:
        mounts.unmount([where.state, where.run])
    except OSError as refused:
        raise ClusterError(f"{refused}. Something of the cluster still uses it: try again.") from refused


def _remove_traces(where: Layout) -> None:
    """Small files that containerd and the kubelet keep at fixed places."""
    for result in Path("/var/lib/cni/results").glob(f"{where.namespace}-*"):
        result.unlink(missing_ok=True)
    for link in Path("/var/log/containers").glob("*.log"):
        if str(where.state) in os.readlink(link):
            link.unlink(missing_ok=True)
