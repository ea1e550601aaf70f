"""What enforces NetworkPolicies: the firewall of kube-router, built from its Go module, beside the embedded cluster."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cluster import network, packages
from cluster.binaries import GoModule, ensure_extra
from cluster.embedded import EmbeddedCluster
from cluster.families import IpFamily
from cluster.processes import Process
from cluster.shell import run
from images.cache import cache_folder

MODULE = GoModule(
    "kube-router", ("github.com/cloudnativelabs/kube-router/v2/cmd/kube-router",), source=Path(__file__).parent / "go"
)
_ONLY_FIREWALL = ("--run-firewall=true", "--run-router=false", "--run-service-proxy=false", "--health-port=0")

_FORGET = (
    "for family in ip ip6; do ${family}tables-save | grep -v -e KUBE-ROUTER -e KUBE-POD-FW -e KUBE-NWPLCY | "
    "${family}tables-restore || exit 1; done; ipset destroy"
)
"""Takes its rules and sets away again; its own `--cleanup-config` ends in a panic where it has only been a firewall."""


@contextmanager
def enforcing(cluster: EmbeddedCluster, *, folder: Path) -> Iterator[None]:
    """Policies are enforced soon after the start of the context, and until its end. Building it takes minutes the first time.

    `folder` is for its log. On the one node of the embedded cluster all pods are local to it.
    """
    packages.ensure({"ipset": "/usr/sbin/ipset"}, needed_by="kube-router")
    program = ensure_extra(MODULE, cache=cache_folder())["kube-router"]
    where = cluster.layout()
    options = (
        f"--kubeconfig={where.kubeconfig}",
        f"--hostname-override={where.node_name}",
        *(f"--service-cluster-ip-range={services}" for services in where.service_networks),
        f"--enable-ipv4={str(where.family is not IpFamily.IPV6).lower()}",
        f"--enable-ipv6={str(where.family is not IpFamily.IPV4).lower()}",
    )
    process = Process(name="kube-router", folder=folder, logs=folder)
    process.start(network.inside(where, [program, *_ONLY_FIREWALL, *options]))
    try:
        yield
    finally:
        process.stop()
        run(network.inside(where, ["sh", "-c", _FORGET]))
