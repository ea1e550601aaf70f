"""The cluster's name servers, as the operator's administrator names them: pods by a label, or addresses."""

from dataclasses import dataclass
from ipaddress import ip_network

DNS_PORT = 53
DEFAULT = "kube-system/k8s-app=kube-dns, openshift-dns/dns.operator.openshift.io/daemonset-dns=default:5353, 169.254.20.10"
"""Of nearly all clusters, of OpenShift, and the cache on every node (NodeLocal DNSCache)."""


@dataclass(frozen=True)
class DnsPods:
    """Pods of a namespace with a label, and the port that they themselves listen on."""

    namespace: str
    label: str
    value: str
    port: int = DNS_PORT


@dataclass(frozen=True)
class DnsAddresses:
    """Addresses that are no pods: of nodes, or link-local ones that every node answers."""

    cidr: str
    port: int = DNS_PORT


NameServer = DnsPods | DnsAddresses


def parse(text: str) -> tuple[NameServer, ...]:
    """Name servers, apart by commas: `namespace/label=value`, with `:port` if it is not 53, or an address or range.

    Raises ValueError naming the one that is neither.
    """
    return tuple(_one(entry) for each in text.split(",") if (entry := each.strip()))


def _one(entry: str) -> NameServer:
    if "=" not in entry:
        try:
            return DnsAddresses(str(ip_network(entry)))
        except ValueError:
            raise ValueError(f"{entry} is neither namespace/label=value nor an address such as 169.254.20.10") from None
    namespace, slash, rest = entry.partition("/")
    label, _, value = rest.partition("=")
    value, colon, port = value.partition(":")
    if not (namespace and slash and label and value) or (colon and not _is_port(port)):
        raise ValueError(f"{entry} is not namespace/label=value, with :port if it is not {DNS_PORT}")
    return DnsPods(namespace, label, value, int(port) if colon else DNS_PORT)


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and 0 < int(text) <= 65535


DEFAULT_SERVERS = parse(DEFAULT)
