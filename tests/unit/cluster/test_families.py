"""Clusters with addresses of IPv4, of IPv6 and of both."""

import json
from ipaddress import IPv4Network, ip_address
from pathlib import Path

import pytest

from cluster import ClusterError, connect, network
from cluster.certificates import certificates
from cluster.components import COMPONENTS
from cluster.embedded import EmbeddedCluster
from cluster.families import LINKS, IpFamily
from cluster.layout import Layout, free_link, layout

PROGRAMS = {name: Path(f"/bin/{name}") for name in ("etcd", "coredns", "kubelet", "kube-apiserver", "kube-proxy")} | {
    name: Path(f"/bin/{name}") for name in ("kube-controller-manager", "kube-scheduler")
}
VERSIONS = {IpFamily.IPV4: [4], IpFamily.IPV6: [6], IpFamily.DUAL: [4, 6]}


def a_layout(family: IpFamily, *, name: str = "demo") -> Layout:
    return layout(name, cache=Path("/c"), link=free_link(name, used=()), family=family)


def written(where: Layout, name: str) -> str:
    """The command line of a component and all its files."""
    (component,) = (each for each in COMPONENTS if each.name == name)
    return "\n".join([*map(str, component.command(where, PROGRAMS)), *component.files(where).values()])


@pytest.mark.parametrize("family", IpFamily)
def test_a_cluster_has_addresses_of_its_families_only(family: IpFamily) -> None:
    where = a_layout(family)
    for networks in (where.links, where.pod_networks, where.service_networks):
        assert [network.version for network in networks] == VERSIONS[family]
    alone = (where.node_address, where.api_service, where.dns_service)
    assert [ip_address(address).version for address in alone] == [VERSIONS[family][0]] * 3
    assert (
        where.server
        == {4: f"https://{where.node_address}:6443", 6: f"https://[{where.node_address}]:6443"}[VERSIONS[family][0]]
    )


@pytest.mark.parametrize("family", IpFamily)
def test_every_component_knows_all_networks_and_the_certificates_all_addresses(family: IpFamily) -> None:
    where = a_layout(family)
    pods, services = (",".join(map(str, networks)) for networks in (where.pod_networks, where.service_networks))
    assert f"--service-cluster-ip-range={services}" in written(where, "apiserver")
    assert f"--node-ip={','.join(where.node_addresses)}" in written(where, "kubelet")
    assert f'"clusterCIDR": "{pods}"' in written(where, "proxy")
    assert all(f'"subnet": "{network}"' in written(where, "containerd") for network in where.pod_networks)
    assert f"bind {' '.join(where.node_addresses)}\n" in written(where, "coredns")
    (server,) = (each for each in certificates(where) if each.name == "apiserver")
    assert {f"IP:{address}" for address in (where.api_service, *where.node_addresses)} <= set(server.alternatives)


def test_clusters_that_have_links_of_their_own_have_them_in_both_families() -> None:
    made = [a_layout(IpFamily.DUAL, name=name) for name in ("one", "two", "three")]
    ends = [layout("end", cache=Path("/c"), link=link, family=IpFamily.DUAL) for link in (first_link(), last_link())]
    for number in (0, 1):
        links = [where.links[number] for where in (*made, *ends)]
        assert not any(one.overlaps(other) for one in links for other in links if one is not other)


def first_link() -> IPv4Network:
    return next(LINKS.subnets(new_prefix=30))


def last_link() -> IPv4Network:
    return list(LINKS.subnets(new_prefix=30))[-1]


def test_a_cluster_keeps_the_addresses_that_it_was_made_with(tmp_path: Path) -> None:
    EmbeddedCluster(name="demo", cache=tmp_path, family=IpFamily.DUAL)._make_layout()
    for family in (None, IpFamily.DUAL):
        again = EmbeddedCluster(name="demo", cache=tmp_path, family=family)
        again._check_family()
        assert again.layout().family is IpFamily.DUAL
    with pytest.raises(ClusterError, match="is there and its addresses are dual, not ipv6: take it down first"):
        EmbeddedCluster(name="demo", cache=tmp_path, family=IpFamily.IPV6)._check_family()


def test_a_cluster_that_was_made_before_there_were_others_has_addresses_of_ipv4(tmp_path: Path) -> None:
    (tmp_path / "clusters" / "demo").mkdir(parents=True)
    (tmp_path / "clusters" / "demo" / "layout.json").write_text(json.dumps({"link": str(first_link())}))
    assert EmbeddedCluster(name="demo", cache=tmp_path).layout().family is IpFamily.IPV4


@pytest.mark.parametrize("family", [IpFamily.IPV6, IpFamily.DUAL])
def test_a_kernel_without_ipv6_is_a_sentence(monkeypatch: pytest.MonkeyPatch, family: IpFamily) -> None:
    monkeypatch.setattr(network, "Path", lambda path: Path("/nowhere") if "ipv6" in path else Path(path))
    with pytest.raises(ClusterError, match="The kernel has no IPv6, and demo needs it: take CLUSTER_IP_FAMILY=ipv4"):
        network.make(a_layout(family))


@pytest.mark.parametrize(
    ("kind", "family", "sentence"),
    [
        ("embedded", "v6", "There is no family of addresses 'v6': CLUSTER_IP_FAMILY is one of ipv4, ipv6, dual"),
        ("embedded", "IPv6", "There is no family of addresses 'IPv6'"),
        ("kind", "ipv6", "CLUSTER_IP_FAMILY=ipv6 is for CLUSTER=embedded; kind has the addresses it was made with"),
        ("existing", "dual", "CLUSTER_IP_FAMILY=dual is for CLUSTER=embedded; existing has the addresses"),
    ],
)
def test_a_family_that_cannot_be_had_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, kind: str, family: str, sentence: str
) -> None:
    monkeypatch.setenv("CLUSTER_IP_FAMILY", family)
    with pytest.raises(ClusterError, match=sentence):
        connect(kind=kind, name="demo")
