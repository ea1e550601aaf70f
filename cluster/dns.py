"""The Service that pods ask for names: CoreDNS runs as a process of the node, so its endpoint is written by hand."""

from cluster.api import Api
from cluster.layout import Layout

_SERVICE = "/api/v1/namespaces/kube-system/services/kube-dns"
_SLICE = "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices/kube-dns"


def publish(layout: Layout, api: Api) -> None:
    """Create the Service `kube-dns` and its endpoint."""
    ports = [{"name": f"dns-{protocol.lower()}", "protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]
    api.apply(
        _SERVICE,
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "kube-dns", "namespace": "kube-system"},
            "spec": {"clusterIP": layout.dns_service, "ports": ports},
        },
    )
    api.apply(
        _SLICE,
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "name": "kube-dns",
                "namespace": "kube-system",
                "labels": {"kubernetes.io/service-name": "kube-dns"},
            },
            "addressType": f"IPv{layout.service_networks[0].version}",
            "endpoints": [{"addresses": [layout.node_address], "conditions": {"ready": True}}],
            "ports": ports,
        },
    )
