"""Names, addresses and folders of one embedded cluster, all derived from its name. Pure: no I/O.

Two clusters on one machine share nothing but the binaries: each has a network namespace, a link to the host, a cgroup,
a state folder and a folder below /run of its own.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

from cluster.errors import ClusterError
from cluster.families import LINKS, IpFamily, Network, links, pod_networks, service_networks

API_PORT = 6443
DOMAIN = "cluster.local"

_NAME = re.compile(r"^[a-z]([-a-z0-9]{0,28}[a-z0-9])?$")


@dataclass(frozen=True)
class Layout:
    """Where everything of one cluster is."""

    name: str
    cache: Path
    link: IPv4Network
    family: IpFamily = IpFamily.IPV4

    @property
    def namespace(self) -> str:
        """Network namespace, as `ip netns` lists it."""
        return f"trun-{self.name}"

    @property
    def host_interface(self) -> str:
        """Interface of the host on the link; at most 15 characters."""
        return f"trun{_digest(self.name)[:8]}"

    @property
    def node_interface(self) -> str:
        """Interface of the cluster on the link."""
        return "uplink0"

    @property
    def links(self) -> tuple[Network, ...]:
        """Networks of the link, one for each family."""
        return links(self.link, family=self.family)

    @property
    def node_addresses(self) -> tuple[str, ...]:
        """Addresses of the node, one for each family."""
        return tuple(str(network[2]) for network in self.links)

    @property
    def node_address(self) -> str:
        """First address of the node: the API server and the kubelet listen here."""
        return self.node_addresses[0]

    @property
    def pod_networks(self) -> tuple[Network, ...]:
        """Of the pods' addresses, one for each family."""
        return pod_networks(self.family)

    @property
    def service_networks(self) -> tuple[Network, ...]:
        """Of the Services' addresses, one for each family."""
        return service_networks(self.family)

    @property
    def api_service(self) -> str:
        """Address of the Service `kubernetes`."""
        return str(self.service_networks[0][1])

    @property
    def dns_service(self) -> str:
        """Address of the Service `kube-dns`."""
        return str(self.service_networks[0][10])

    @property
    def node_name(self) -> str:
        """Name of the only node."""
        return f"{self.name}-node"

    @property
    def server(self) -> str:
        """URL of the API server."""
        host = f"[{self.node_address}]" if ":" in self.node_address else self.node_address
        return f"https://{host}:{API_PORT}"

    @property
    def state(self) -> Path:
        """Everything that survives a reboot of the machine, and goes with `down`."""
        return self.cache / "clusters" / self.name

    @property
    def run(self) -> Path:
        """Sockets and mounts; short, since a socket's path may have 107 characters only."""
        return Path("/run/trainingrun") / self.name

    @property
    def certificates(self) -> Path:
        """Keys and certificates."""
        return self.state / "certificates"

    @property
    def logs(self) -> Path:
        """One log file per component."""
        return self.state / "logs"

    @property
    def audit_log(self) -> Path:
        """What service accounts have asked of the API server, one JSON object a line."""
        return self.logs / "audit.jsonl"

    @property
    def volumes(self) -> Path:
        """Contents of the PersistentVolumes."""
        return self.state / "volumes"

    @property
    def kubeconfig(self) -> Path:
        """Kubeconfig of the administrator."""
        return self.state / "kubeconfig"

    @property
    def socket(self) -> Path:
        """Socket of containerd."""
        return self.run / "containerd.sock"

    @property
    def cgroup(self) -> str:
        """Parent of all cgroups of the cluster's pods, without slashes."""
        return f"trainingrun-{self.name}"


def layout(name: str, *, cache: Path, link: IPv4Network, family: IpFamily = IpFamily.IPV4) -> Layout:
    """The layout of the cluster called `name`.

    Raises ClusterError when the name cannot be used.
    """
    if not _NAME.match(name):
        raise ClusterError(
            f"The cluster name {name!r} cannot be used: take up to 30 lower-case letters, digits and dashes, beginning "
            "with a letter (CLUSTER_NAME=...)."
        )
    return Layout(name=name, cache=cache, link=link, family=family)


def free_link(name: str, *, used: Iterable[IPv4Network]) -> IPv4Network:
    """The link network of a new cluster: four addresses that overlap no network in `used`.

    The first candidate follows from the name, so that a cluster usually keeps its address when it is made again.
    Raises ClusterError when none is free.
    """
    taken = tuple(used)
    candidates = list(LINKS.subnets(new_prefix=30))
    first = int(_digest(name), 16) % len(candidates)
    for candidate in candidates[first:] + candidates[:first]:
        if not any(candidate.overlaps(network) for network in taken):
            return candidate
    raise ClusterError(
        f"No network of four addresses is free in {LINKS}: this machine's interfaces or routes cover it. Remove the "
        "route, or use another cluster (CLUSTER=kind or CLUSTER=existing)."
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
