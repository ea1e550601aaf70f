"""Whom the pods of an attempt may talk to, judged as a network plugin would: by the rules of the NetworkPolicy alone."""

from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from tests.builders import CONFIG, a_run
from trainingrun_operator.children import network_policy
from trainingrun_operator.name_servers import parse

Raw = dict[str, Any]

PEER = {"trainingrun.dev/run": "mnist", "trainingrun.dev/run-uid": a_run().metadata.uid, "trainingrun.dev/attempt": "1"}
HERE = "team"
COREDNS = {"k8s-app": "kube-dns"}
INTERNET, INTERNET_6 = "192.0.2.7", "2001:db8::7"
METADATA = ["169.254.169.254", "169.254.170.23", "100.100.100.200", "168.63.129.16", "192.0.0.192"]
METADATA_6 = ["fd00:ec2::254", "fd20:ce::254", "fe80::a9fe:a9fe"]


def policy(**network: str) -> Raw:
    """The spec of the policy of a run's first attempt."""
    run = a_run(spec__workers={"replicas": 2, "network": network})
    spec: Raw = network_policy(run, attempt=1, config=CONFIG)["spec"]
    return spec


def reaches(
    spec: Raw, *, port: int = 443, address: str | None = None, labels: Raw | None = None, namespace: str = HERE
) -> bool:
    """Whether a worker may connect to an address, or to a pod with these labels in a namespace."""

    def fits(peer: Raw) -> bool:
        if "ipBlock" in peer:
            block = peer["ipBlock"]
            return address is not None and _within(address, block["cidr"], block.get("except", []))
        if labels is None or ("namespaceSelector" not in peer and namespace != HERE):
            return False
        places: Raw = peer.get("namespaceSelector", {}).get("matchLabels", {})
        if not places.items() <= {"kubernetes.io/metadata.name": namespace}.items():
            return False
        wanted: Raw = peer.get("podSelector", {}).get("matchLabels", {})
        return wanted.items() <= labels.items()

    def allows(rule: Raw) -> bool:
        ports = [entry["port"] for entry in rule.get("ports", [])]
        return (not ports or port in ports) and ("to" not in rule or any(fits(peer) for peer in rule["to"]))

    assert "Egress" in spec["policyTypes"]
    return any(allows(rule) for rule in spec["egress"])


def _within(address: str, network: str, hidden: list[str]) -> bool:
    inside = [ip_address(address) in ip_network(each) for each in (network, *hidden)]
    return inside[0] and not any(inside[1:])


@pytest.mark.parametrize("egress", ["Any", "Cluster", "None"])
@pytest.mark.parametrize("metadata", ["Allow", "Deny"])
def test_peers_of_the_attempt_are_always_reached_on_every_port(egress: str, metadata: str) -> None:
    spec = policy(egress=egress, metadataServer=metadata)
    assert reaches(spec, port=41234, labels=PEER)
    assert reaches(spec, port=41234, labels={**PEER, "trainingrun.dev/attempt": "2"}) == (egress != "None")


@pytest.mark.parametrize(
    ("egress", "internet", "pods", "names"),
    [("Any", True, True, True), ("Cluster", False, True, True), ("None", False, False, False)],
)
def test_egress_says_how_far_connections_go(egress: str, internet: bool, pods: bool, names: bool) -> None:
    spec = policy(egress=egress)
    assert [reaches(spec, address=address) for address in (INTERNET, INTERNET_6)] == [internet, internet]
    assert reaches(spec, labels={"app": "minio"}, namespace="storage") == pods
    assert reaches(spec, port=53, labels=COREDNS, namespace="kube-system") == names
    assert reaches(spec, port=53, address="169.254.20.10") == names


@pytest.mark.parametrize("egress", ["Cluster", "None"])
def test_names_are_asked_for_at_the_clusters_own_servers_only(egress: str) -> None:
    spec = policy(egress=egress)
    assert not reaches(spec, port=53, address=INTERNET)
    assert not any(reaches(spec, port=53, address=address) for address in (*METADATA, *METADATA_6))
    assert not reaches(spec, port=443, address="169.254.20.10")


def test_name_servers_are_those_that_the_administrator_names() -> None:
    servers = parse("dns/app=unbound:5353, 10.0.0.0/28")
    run = a_run(spec__workers={"replicas": 2, "network": {"egress": "Cluster"}})
    spec = network_policy(run, attempt=1, config=replace(CONFIG, name_servers=servers))["spec"]
    rules = [rule for rule in spec["egress"] if "ports" in rule]
    assert [{entry["port"] for entry in rule["ports"]} for rule in rules] == [{5353}, {53}]
    assert [{entry["protocol"] for entry in rule["ports"]} for rule in rules] == [{"UDP", "TCP"}] * 2
    assert reaches({**spec, "egress": rules}, port=5353, labels={"app": "unbound"}, namespace="dns")
    assert reaches(spec, port=53, address="10.0.0.2")
    assert not reaches(spec, port=53, address="169.254.20.10")


def test_pods_of_other_namespaces_are_name_servers_only_with_their_label() -> None:
    spec = {"policyTypes": ["Egress"], "egress": [rule for rule in policy()["egress"] if "ports" in rule]}
    assert reaches(spec, port=53, labels=COREDNS, namespace="kube-system")
    assert not reaches(spec, port=53, labels=COREDNS, namespace="team")
    assert not reaches(spec, port=53, labels={"app": "other"}, namespace="kube-system")
    assert not reaches(spec, port=443, labels=COREDNS, namespace="kube-system")


@pytest.mark.parametrize("address", [*METADATA, *METADATA_6])
@pytest.mark.parametrize("egress", ["Any", "Cluster", "None"])
def test_the_metadata_server_is_reached_only_when_the_user_says_so(egress: str, address: str) -> None:
    assert not reaches(policy(egress=egress), port=80, address=address)
    assert reaches(policy(egress=egress, metadataServer="Allow"), port=80, address=address)


def test_the_metadata_server_alone_is_no_way_into_the_internet() -> None:
    assert not reaches(policy(egress="None", metadataServer="Allow"), address=INTERNET)


def test_only_peers_and_the_operator_come_in_and_the_operator_only_to_ask_for_progress() -> None:
    peers, operator = policy()["ingress"]
    assert peers == {"from": [{"podSelector": {"matchLabels": PEER}}]}
    assert operator["ports"] == [{"port": 8080, "protocol": "TCP"}]
    (sender,) = operator["from"]
    assert sender == {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "trainingrun-system"}},
        "podSelector": {"matchLabels": {"app.kubernetes.io/name": "trainingrun-operator"}},
    }


def test_hosts_of_a_slice_find_each_other_by_name_whatever_else_is_closed() -> None:
    chips = {"type": "tpu-v5-lite-podslice", "topology": "2x4", "chips": 4}
    closed = {"replicas": 2, "network": {"egress": "None"}}
    for workers, names in ((closed, False), ({**closed, "accelerator": {"tpu": chips}}, True)):
        spec = network_policy(a_run(spec__workers=workers), attempt=1, config=CONFIG)["spec"]
        assert reaches(spec, port=53, labels=COREDNS, namespace="kube-system") == names
