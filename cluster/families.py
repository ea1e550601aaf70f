"""Which addresses a cluster's pods and Services have, and what they are. Pure: no I/O.

They exist inside a cluster's network namespace only, so they may be the same in every cluster; the links to the host are
each cluster's own.
"""

from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network

from cluster.errors import ClusterError

Network = IPv4Network | IPv6Network

LINKS = IPv4Network("198.18.0.0/15")
"""The range that the links between host and clusters are taken from, reserved for tests of devices (RFC 2544)."""
LINKS_6 = IPv6Network("2001:2::/48")
"""The same of IPv6 (RFC 5180), one /64 for each cluster."""
_PREFIX_6 = 64


class IpFamily(StrEnum):
    """Called as kind calls it (`networking.ipFamily`)."""

    IPV4 = "ipv4"
    IPV6 = "ipv6"
    DUAL = "dual"
    """Both; what has one address only has one of IPv4."""


_VERSIONS = {IpFamily.IPV4: (4,), IpFamily.IPV6: (6,), IpFamily.DUAL: (4, 6)}
_PODS: tuple[Network, ...] = (IPv4Network("10.244.0.0/24"), IPv6Network("fd00:10:244::/64"))
_SERVICES: tuple[Network, ...] = (IPv4Network("10.96.0.0/16"), IPv6Network("fd00:10:96::/112"))


def pod_networks(family: IpFamily) -> tuple[Network, ...]:
    """What pods have addresses of; the first is that of their first address."""
    return _of(family, _PODS)


def service_networks(family: IpFamily) -> tuple[Network, ...]:
    """What Services have addresses of; one that does not ask for more has one of the first."""
    return _of(family, _SERVICES)


def links(link: IPv4Network, *, family: IpFamily) -> tuple[Network, ...]:
    """The networks of a cluster's link to the host, of which host and node have the first and the second address.

    `link` is what makes it the cluster's own: its place among all links of IPv4 is the place of its fellow of IPv6.
    """
    place = (int(link.network_address) - int(LINKS.network_address)) // link.num_addresses
    fellow = IPv6Network((int(LINKS_6.network_address) + (place << (128 - _PREFIX_6)), _PREFIX_6))
    return _of(family, (link, fellow))


def parse(text: str) -> IpFamily:
    """The family that a user names. Raises ClusterError when there is none of this name."""
    try:
        return IpFamily(text)
    except ValueError:
        known = ", ".join(IpFamily)
        raise ClusterError(f"There is no family of addresses {text!r}: CLUSTER_IP_FAMILY is one of {known}.") from None


def _of(family: IpFamily, networks: tuple[Network, ...]) -> tuple[Network, ...]:
    return tuple(network for network in networks if network.version in _VERSIONS[family])
