"""The network namespace of a cluster and its one link to the host. It has no route to anywhere else."""

import json
from collections.abc import Sequence
from ipaddress import IPv4Network
from pathlib import Path

from cluster.errors import ClusterError
from cluster.families import Network
from cluster.layout import Layout
from cluster.shell import run


def used_networks() -> list[IPv4Network]:
    """The networks that this machine's interfaces and routes use, the default route aside."""
    interfaces = json.loads(run(["ip", "-json", "-4", "address"]) or "[]")
    addresses = [
        IPv4Network(f"{address['local']}/{address['prefixlen']}", strict=False)
        for interface in interfaces
        for address in interface.get("addr_info", [])
    ]
    routes = json.loads(run(["ip", "-json", "-4", "route"]) or "[]")
    return addresses + [IPv4Network(route["dst"]) for route in routes if route["dst"] != "default"]


def inside(layout: Layout, command: Sequence[str | Path]) -> list[str | Path]:
    """The command as it runs in the namespace (`ip netns exec` would hide /sys/fs/cgroup)."""
    return ["nsenter", f"--net=/run/netns/{layout.namespace}", "--", *command]


def make(layout: Layout) -> None:
    """Make the namespace and the link, or complete what an interrupted call left.

    Raises ClusterError when this process may not, when the addresses are taken, or when the kernel lacks their family.
    """
    if any(link.version == 6 for link in layout.links) and not Path("/proc/sys/net/ipv6").exists():
        raise ClusterError(f"The kernel has no IPv6, and {layout.name} needs it: take CLUSTER_IP_FAMILY=ipv4.")
    if not Path(f"/run/netns/{layout.namespace}").exists():
        _as_administrator(["ip", "netns", "add", layout.namespace])
    if not _interface_exists(layout.host_interface):
        _as_administrator(
            ["ip", "link", "add", layout.host_interface, "type", "veth"]
            + ["peer", "name", layout.node_interface, "netns", layout.namespace]
        )
    _configure(layout)


def processes(layout: Layout) -> set[int]:
    """Pids of all processes in the namespace; those in pods are in namespaces of their own."""
    if not Path(f"/run/netns/{layout.namespace}").exists():
        return set()
    return {int(pid) for pid in run(["ip", "netns", "pids", layout.namespace]).split()}


def remove(layout: Layout) -> None:
    """Remove both; also fine when they do not exist."""
    if _interface_exists(layout.host_interface):
        run(["ip", "link", "delete", layout.host_interface])
    if Path(f"/run/netns/{layout.namespace}").exists():
        run(["ip", "netns", "delete", layout.namespace])


def _configure(layout: Layout) -> None:
    for link in layout.links:
        run(_address(link, place=1, interface=layout.host_interface))
    run(["ip", "link", "set", layout.host_interface, "up"])
    run(inside(layout, ["ip", "link", "set", "lo", "up"]))
    for link in layout.links:
        run(inside(layout, _address(link, place=2, interface=layout.node_interface)))
    run(inside(layout, ["ip", "link", "set", layout.node_interface, "up"]))
    for services in layout.service_networks:
        run(inside(layout, _route(services, layout=layout)))
        run(inside(layout, ["sysctl", "-qw", *_forwarding(services)]))


def _address(link: Network, *, place: int, interface: str) -> list[str]:
    """How an interface gets its address, one of IPv6 at once: nothing can bind it while neighbours are asked about it."""
    at_once = ["nodad"] if link.version == 6 else []
    return ["ip", "address", "replace", f"{link[place]}/{link.prefixlen}", "dev", interface, *at_once]


def _route(services: Network, *, layout: Layout) -> list[str]:
    """The kernel must route Service addresses somewhere before iptables rewrites those of local processes.

    In IPv6 a route to the loopback refuses what it gets; the link has nobody who would answer instead.
    """
    interface = "lo" if services.version == 4 else layout.node_interface
    return ["ip", f"-{services.version}", "route", "replace", str(services), "dev", interface]


def _forwarding(network: Network) -> list[str]:
    """Settings of the kernel with which pods reach each other and Services."""
    four = network.version == 4
    bridged = f"net.bridge.bridge-nf-call-{'iptables' if four else 'ip6tables'}=1"
    routed = "net.ipv4.ip_forward=1" if four else "net.ipv6.conf.all.forwarding=1"
    return [routed, *([bridged] if Path("/proc/sys/net/bridge").exists() else [])]


def _as_administrator(command: Sequence[str]) -> None:
    try:
        run(command)
    except ClusterError as refused:
        raise ClusterError(
            f"{refused} The embedded cluster needs to make network namespaces (CAP_NET_ADMIN and CAP_SYS_ADMIN): run it "
            "as root outside of restricted containers, or use CLUSTER=kind or CLUSTER=existing."
        ) from refused


def _interface_exists(name: str) -> bool:
    return Path(f"/sys/class/net/{name}").exists()
