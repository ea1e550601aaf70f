"""podman, set up for kind's nodes: the builder's store, the limits of this machine, and a network without a way out.

A node that finds no route to the outside cannot send there what its own service network should have caught: until
kube-proxy has run, the address of the API server's Service is one like any other. The network's own addresses are ones
that nobody has (TEST-NET-2, RFC 5737).
"""

import os
import resource
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from string import Template

from cluster import binaries, cgroups, packages
from cluster.errors import ClusterError
from cluster.kind import node_image
from cluster.shell import run
from images.builder import Buildah

PACKAGES = {
    "podman": "/usr/bin/podman",
    "runc": "/usr/sbin/runc",
    "containernetworking-plugins": "/usr/lib/cni/bridge",
    "iptables": "/usr/sbin/iptables",
    "iproute2": "/usr/bin/ip",
}
BRIDGE = "trun-kind"
MODULES_FOLDER = Path("/lib/modules")
"""kind mounts it into its nodes; a kernel without modules may come without it."""

_CONTAINERS = Template("""\
[containers]
default_ulimits = ["nofile=$files:$files", "nproc=$processes:$processes"]
[engine]
cgroup_manager = "cgroupfs"
runtime = "runc"
events_logger = "file"
[network]
network_backend = "cni"
network_config_dir = "$folder/networks"
""")
_STORAGE = Template("""\
[storage]
driver = "overlay"
graphroot = "$store"
runroot = "$runroot"
""")
_SOURCES = Path(__file__).parent


@dataclass(frozen=True)
class Podman:
    """See `cluster.kind.engine.Engine`."""

    cache: Path

    def prepare(self) -> None:
        """Install podman, build kind and the node image, and write podman's configuration."""
        if os.geteuid() != 0:
            raise ClusterError(
                "Docker does not answer, and CLUSTER=kind on podman must be run as root: start Docker, use sudo, or tell kind "
                "to use a podman of your own (KIND_EXPERIMENTAL_PROVIDER=podman)."
            )
        packages.ensure(PACKAGES, needed_by="kind without Docker")
        MODULES_FOLDER.mkdir(parents=True, exist_ok=True)
        node_image.ensure(self.cache)
        builder = Buildah.of(self.cache)
        values = {
            "files": _hard_limit(resource.RLIMIT_NOFILE, at_most=Path("/proc/sys/fs/nr_open")),
            "processes": _hard_limit(resource.RLIMIT_NPROC, at_most=Path("/proc/sys/kernel/pid_max")),
            "folder": self._folder,
            "store": builder.store,
            "runroot": builder.runroot,
        }
        (self._folder / "networks").mkdir(parents=True, exist_ok=True)
        (self._folder / "containers.conf").write_text(_CONTAINERS.substitute(values))
        (self._folder / "storage.conf").write_text(_STORAGE.substitute(values))
        (self._folder / "cluster.yaml").write_text(node_image.cluster_configuration())
        shutil.copyfile(_SOURCES / "network.conflist", self._folder / "networks" / "kind.conflist")

    def is_there(self) -> bool:
        """See `Engine`."""
        return (self._folder / "containers.conf").exists() and shutil.which("podman") is not None

    def kind(self) -> str:
        """See `Engine`."""
        return str(binaries.ensure_extra(node_image.KIND, cache=self.cache)["kind"])

    def kubectl(self) -> str:
        """See `Engine`."""
        return str(binaries.ensure(self.cache)["kubectl"])

    def environment(self) -> Mapping[str, str]:
        """See `Engine`."""
        return {
            **os.environ,
            "KIND_EXPERIMENTAL_PROVIDER": "podman",
            "CONTAINERS_CONF": str(self._folder / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(self._folder / "storage.conf"),
        }

    def creation(self) -> tuple[str, ...]:
        """See `Engine`."""
        return ("--image", node_image.reference(self.cache), "--config", str(self._folder / "cluster.yaml"))

    def clean(self) -> None:
        """See `Engine`. What holds anything, of others, stays."""
        run(["ip", "link", "delete", BRIDGE], check=False)
        emptied = (
            hierarchy / name for hierarchy in cgroups.hierarchies() for name in ("libpod_parent/conmon", "libpod_parent")
        )
        for folder in (*emptied, MODULES_FOLDER):
            with suppress(OSError):
                folder.rmdir()

    @property
    def _folder(self) -> Path:
        return self.cache / "kind"


def _hard_limit(of: int, *, at_most: Path) -> int:
    """What podman may give its containers without a capability that root may lack: podman itself lowers its limits to these."""
    _, hard = resource.getrlimit(of)
    most = int(at_most.read_text())
    return most if hard == resource.RLIM_INFINITY else min(hard, most)
