"""The command line and the configuration file of every component. Pure: values in, text out.

YAML is written as JSON, which is a part of it.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster.families import Network
from cluster.layout import API_PORT, DOMAIN, Layout

Programs = Mapping[str, Path]

PAUSE_IMAGE = "trainingrun.dev/pause:1"
GO = {"GOGC": "400", "GOMEMLIMIT": "2GiB"}
"""How seldom Go programs look for memory to free. The API server takes a quarter less of a processor than with Go's own 100,
and 600 MB more: 44.3 and 33.9 s, 535 and 1,162 MB in the same fault tests."""
ETCD = "http://127.0.0.1:2379"


@dataclass(frozen=True)
class Component:
    """A process of the cluster: its command, the files that it reads, and a URL that answers when it is well."""

    name: str
    command: Callable[[Layout, Programs], list[str | Path]]
    files: Callable[[Layout], dict[str, str]] = lambda _: {}
    health: str = ""


def _etcd(layout: Layout, programs: Programs) -> list[str | Path]:
    return [
        programs["etcd"],
        f"--data-dir={layout.state / 'etcd'}",
        f"--listen-client-urls={ETCD}",
        f"--advertise-client-urls={ETCD}",
        "--listen-peer-urls=http://127.0.0.1:2380",
        # Durability is worth little in a cluster that is thrown away, and fsync is slow on shared disks.
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def _apiserver(layout: Layout, programs: Programs) -> list[str | Path]:
    folder = layout.certificates
    return [
        programs["kube-apiserver"],
        f"--etcd-servers={ETCD}",
        f"--bind-address={layout.node_address}",
        f"--advertise-address={layout.node_address}",
        f"--secure-port={API_PORT}",
        f"--tls-cert-file={folder / 'apiserver.crt'}",
        f"--tls-private-key-file={folder / 'apiserver.key'}",
        f"--client-ca-file={folder / 'ca.crt'}",
        f"--kubelet-certificate-authority={folder / 'ca.crt'}",
        f"--kubelet-client-certificate={folder / 'apiserver-kubelet.crt'}",
        f"--kubelet-client-key={folder / 'apiserver-kubelet.key'}",
        "--kubelet-preferred-address-types=InternalIP",
        f"--service-account-key-file={folder / 'service-accounts.pub'}",
        f"--service-account-signing-key-file={folder / 'service-accounts.key'}",
        f"--service-account-issuer=https://kubernetes.default.svc.{DOMAIN}",
        f"--service-cluster-ip-range={_list(layout.service_networks)}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        "--profiling=false",
        f"--audit-policy-file={layout.state / 'audit-policy.json'}",
        f"--audit-log-path={layout.audit_log}",
        "--audit-log-maxsize=100",
        "--audit-log-maxbackup=1",
    ]


def _apiserver_files(_: Layout) -> dict[str, str]:
    """What service accounts ask for is written down, so that a test can hold it against their permissions."""
    own = {"level": "None", "userGroups": ["system:serviceaccounts:kube-system"]}
    others = {"level": "Metadata", "userGroups": ["system:serviceaccounts"]}
    rules = [own, others, {"level": "None"}]
    return {"audit-policy.json": _configuration("audit.k8s.io/v1", "Policy", omitStages=["RequestReceived"], rules=rules)}


def _controller_manager(layout: Layout, programs: Programs) -> list[str | Path]:
    folder = layout.certificates
    return [
        programs["kube-controller-manager"],
        f"--kubeconfig={folder / 'controller-manager.kubeconfig'}",
        "--bind-address=127.0.0.1",
        "--leader-elect=false",
        f"--root-ca-file={folder / 'ca.crt'}",
        f"--service-account-private-key-file={folder / 'service-accounts.key'}",
        f"--cluster-signing-cert-file={folder / 'ca.crt'}",
        f"--cluster-signing-key-file={folder / 'ca.key'}",
        "--use-service-account-credentials=true",
        # The defaults (20 and 30) are what limits Indexed Jobs to about two two-worker runs per second.
        "--kube-api-qps=500",
        "--kube-api-burst=1000",
        "--concurrent-job-syncs=20",
        "--profiling=false",
    ]


def _scheduler(layout: Layout, programs: Programs) -> list[str | Path]:
    return [programs["kube-scheduler"], f"--config={layout.state / 'scheduler.json'}", "--bind-address=127.0.0.1"]


def _scheduler_files(layout: Layout) -> dict[str, str]:
    client = {"kubeconfig": str(layout.certificates / "scheduler.kubeconfig"), "qps": 500, "burst": 1000}
    return {
        "scheduler.json": _configuration(
            "kubescheduler.config.k8s.io/v1",
            "KubeSchedulerConfiguration",
            clientConnection=client,
            leaderElection={"leaderElect": False},
        )
    }


def _containerd(layout: Layout, programs: Programs) -> list[str | Path]:
    return ["containerd", "--config", layout.state / "containerd.toml", "--log-level", "warn"]


def _containerd_files(layout: Layout) -> dict[str, str]:
    network = {
        "cniVersion": "0.4.0",
        "name": layout.namespace,
        "plugins": [
            {
                "type": "bridge",
                "bridge": "cni0",
                "isDefaultGateway": True,
                "ipMasq": False,
                "hairpinMode": True,
                "ipam": {
                    "type": "host-local",
                    "ranges": [[{"subnet": str(network)}] for network in layout.pod_networks],
                    "dataDir": str(layout.state / "addresses"),
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }
    return {
        "containerd.toml": _CONTAINERD.format(layout=layout, pause=PAUSE_IMAGE),
        "cni/10-bridge.conflist": json.dumps(network, indent=2),
    }


_CONTAINERD = """version = 2
root = "{layout.state}/containerd"
state = "{layout.run}/containerd"

[grpc]
address = "{layout.socket}"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{pause}"
# Some machines lack CAP_SYS_RESOURCE, without which a lower oom_score_adj cannot be set.
restrict_oom_score_adj = true
disable_apparmor = true
netns_mounts_under_state_dir = true
stream_server_address = "127.0.0.1"

[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "overlayfs"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "{layout.state}/cni"
"""


def _kubelet(layout: Layout, programs: Programs) -> list[str | Path]:
    return [
        programs["kubelet"],
        f"--config={layout.state / 'kubelet.json'}",
        f"--kubeconfig={layout.certificates / 'kubelet.kubeconfig'}",
        f"--hostname-override={layout.node_name}",
        f"--node-ip={','.join(layout.node_addresses)}",
        f"--root-dir={layout.state / 'kubelet'}",
        f"--cert-dir={layout.state / 'kubelet'}",
    ]


def _kubelet_files(layout: Layout) -> dict[str, str]:
    folder = layout.certificates
    return {
        "resolv.conf": "# A cluster without uplink resolves its own names only.\n",
        "kubelet.json": _configuration(
            "kubelet.config.k8s.io/v1beta1",
            "KubeletConfiguration",
            address=layout.node_address,
            authentication={
                "anonymous": {"enabled": False},
                "webhook": {"enabled": True},
                "x509": {"clientCAFile": str(folder / "ca.crt")},
            },
            authorization={"mode": "Webhook"},
            tlsCertFile=str(folder / "kubelet.crt"),
            tlsPrivateKeyFile=str(folder / "kubelet.key"),
            containerRuntimeEndpoint=f"unix://{layout.socket}",
            cgroupDriver="cgroupfs",
            cgroupRoot=f"/{layout.cgroup}",
            failCgroupV1=False,
            failSwapOn=False,
            clusterDNS=[layout.dns_service],
            clusterDomain=DOMAIN,
            resolvConf=str(layout.state / "resolv.conf"),
            podLogsDir=str(layout.state / "pod-logs"),
            volumePluginDir=str(layout.state / "volume-plugins"),
            oomScoreAdj=0,
            evictionHard={"memory.available": "50Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
            imageGCHighThresholdPercent=100,
            maxPods=200,
        ),
    }


def _proxy(layout: Layout, programs: Programs) -> list[str | Path]:
    return [programs["kube-proxy"], f"--config={layout.state / 'proxy.json'}"]


def _proxy_files(layout: Layout) -> dict[str, str]:
    return {
        "proxy.json": _configuration(
            "kubeproxy.config.k8s.io/v1alpha1",
            "KubeProxyConfiguration",
            mode="iptables",
            hostnameOverride=layout.node_name,
            clusterCIDR=_list(layout.pod_networks),
            clientConnection={"kubeconfig": str(layout.certificates / "proxy.kubeconfig")},
            conntrack={"maxPerCore": 0, "min": 0},
            metricsBindAddress="127.0.0.1:10249",
            healthzBindAddress="127.0.0.1:10256",
        )
    }


def _coredns(layout: Layout, programs: Programs) -> list[str | Path]:
    return [programs["coredns"], "-conf", layout.state / "Corefile", "-quiet"]


def _coredns_files(layout: Layout) -> dict[str, str]:
    return {
        "Corefile": f""".:53 {{
    bind {" ".join(layout.node_addresses)}
    errors
    health 127.0.0.1:8181
    kubernetes {DOMAIN} in-addr.arpa ip6.arpa {{
        kubeconfig {layout.certificates / "coredns.kubeconfig"}
        pods insecure
        ttl 5
    }}
    cache 5
}}
"""
    }


def _list(networks: Iterable[Network]) -> str:
    return ",".join(map(str, networks))


def _configuration(version: str, kind: str, **fields: Any) -> str:
    return json.dumps({"apiVersion": version, "kind": kind, **fields}, indent=2)


COMPONENTS = (
    Component("etcd", _etcd, health=f"{ETCD}/health"),
    Component("apiserver", _apiserver, _apiserver_files),
    Component("controller-manager", _controller_manager, health="https://127.0.0.1:10257/healthz"),
    Component("scheduler", _scheduler, _scheduler_files, health="https://127.0.0.1:10259/healthz"),
    Component("containerd", _containerd, _containerd_files),
    Component("kubelet", _kubelet, _kubelet_files, health="http://127.0.0.1:10248/healthz"),
    Component("proxy", _proxy, _proxy_files, health="http://127.0.0.1:10256/livez"),
    Component("coredns", _coredns, _coredns_files, health="http://127.0.0.1:8181/health"),
)
"""In the order in which they are started; they are stopped in the opposite order."""
