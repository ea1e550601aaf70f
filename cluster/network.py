"""The network namespace of a cluster and its one link to the host. It has no route to anywhere else."""

import json
from collections.abc import Sequence
from ipaddress import IPv4Network
from pathlib import Path

from cluster.errors import ClusterError
from cluster.layout import SERVICE_NETWORK, Layout
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

    Raises ClusterError when this process may not, or when the addresses are taken.
    """
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
    prefix = layout.link.prefixlen
    run(["ip", "address", "replace", f"{layout.host_address}/{prefix}", "dev", layout.host_interface])
    run(["ip", "link", "set", layout.host_interface, "up"])
    for command in (
        ["ip", "link", "set", "lo", "up"],
        ["ip", "address", "replace", f"{layout.node_address}/{prefix}", "dev", layout.node_interface],
        ["ip", "link", "set", layout.node_interface, "up"],
        # The kernel must route Service addresses somewhere before iptables rewrites those of local processes.
        ["ip", "route", "replace", str(SERVICE_NETWORK), "dev", "lo"],
        ["sysctl", "-qw", "net.ipv4.ip_forward=1"],
    ):
        run(inside(layout, command))
    if Path("/proc/sys/net/bridge").exists():
        run(inside(layout, ["sysctl", "-qw", "net.bridge.bridge-nf-call-iptables=1"]))


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
