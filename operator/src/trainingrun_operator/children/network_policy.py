"""Whom an attempt's pods may talk to: each other on all ports, the operator about progress, the world as the user says."""

from collections.abc import Iterable
from typing import Any

from trainingrun.api import TrainingRun
from trainingrun.api.network import Egress, MetadataServer
from trainingrun.contract import PROGRESS_PORT
from trainingrun_operator import names
from trainingrun_operator.children.accelerator import is_slice_of_hosts
from trainingrun_operator.children.metadata import metadata, selector
from trainingrun_operator.config import OperatorConfig
from trainingrun_operator.model import Manifest
from trainingrun_operator.name_servers import DnsAddresses, DnsPods, NameServer

METADATA_SERVERS = {
    "0.0.0.0/0": ("169.254.0.0/16", "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32"),
    "::/0": ("fe80::/10", "fd00:ec2::/32", "fd20:ce::254/128"),
}
"""Where clouds hand out the identity and the settings of a node: link-local in nearly all of them; then Alibaba, Azure's host
and Oracle, and in IPv6 AWS and Google."""

_PODS: Manifest = {"namespaceSelector": {}}


def network_policy(run: TrainingRun, *, attempt: int, config: OperatorConfig) -> Manifest:
    """The NetworkPolicy of an attempt. Horovod listens on ports that the kernel chooses, so peers may use all of them."""
    peers = {"podSelector": {"matchLabels": selector(run, attempt=attempt)}}
    operator = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": config.namespace}},
        "podSelector": {"matchLabels": {names.NAME_LABEL: names.OPERATOR_NAME}},
    }
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(run, attempt=attempt),
        "spec": {
            "podSelector": {"matchLabels": selector(run, attempt=attempt)},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"from": [peers]}, {"from": [operator], "ports": [{"port": PROGRESS_PORT, "protocol": "TCP"}]}],
            "egress": [{"to": [peers]}, *_egress(run, config.name_servers)],
        },
    }


def _egress(run: TrainingRun, name_servers: Iterable[NameServer]) -> list[Manifest]:
    """Rules beyond the peers. Names are asked for at the cluster's own servers only: any other could be a way out."""
    network = run.spec.workers.network
    with_metadata = network.metadata_server is MetadataServer.ALLOW
    rules: list[Manifest] = []
    names = [_name_server(each) for each in name_servers]
    if with_metadata:
        rules.append({"to": [_block(hidden) for servers in METADATA_SERVERS.values() for hidden in servers]})
    match network.egress:
        case Egress.ANY | None:
            world = [_block(everywhere, hidden=servers) for everywhere, servers in METADATA_SERVERS.items()]
            return [*rules, {"to": [_PODS, *world]}, *names]
        case Egress.CLUSTER:
            return [*rules, {"to": [_PODS]}, *names]
        case Egress.NONE:
            return [*rules, *names] if is_slice_of_hosts(run) else rules


def _name_server(server: NameServer) -> Manifest:
    match server:
        case DnsPods():
            namespace = {"matchLabels": {"kubernetes.io/metadata.name": server.namespace}}
            to: Manifest = {"namespaceSelector": namespace, "podSelector": {"matchLabels": {server.label: server.value}}}
        case DnsAddresses():
            to = _block(server.cidr)
    return {"to": [to], "ports": [{"protocol": protocol, "port": server.port} for protocol in ("UDP", "TCP")]}


def _block(addresses: str, *, hidden: tuple[str, ...] = ()) -> Manifest:
    block: dict[str, Any] = {"cidr": addresses}
    if hidden:
        block["except"] = list(hidden)
    return {"ipBlock": block}
