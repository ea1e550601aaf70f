"""One certificate authority per cluster, and the kubeconfigs of those who talk to its API server."""

import base64
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from cluster.layout import DOMAIN, Layout
from cluster.shell import run

DAYS = "3650"

Word = str | Path


@dataclass(frozen=True)
class Certificate:
    """A certificate to be issued: its subject, and the names and addresses that it is valid for."""

    name: str
    subject: str
    alternatives: tuple[str, ...] = ()


def certificates(layout: Layout) -> tuple[Certificate, ...]:
    """All certificates of a cluster."""
    services = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", f"kubernetes.default.svc.{DOMAIN}")
    node = (*(f"IP:{address}" for address in layout.node_addresses), f"DNS:{layout.node_name}")
    return (
        Certificate(
            "apiserver",
            "/CN=kube-apiserver",
            (*(f"DNS:{name}" for name in services), f"IP:{layout.api_service}", "IP:127.0.0.1", *node),
        ),
        Certificate("apiserver-kubelet", "/O=system:masters/CN=kube-apiserver-kubelet-client"),
        Certificate("admin", "/O=system:masters/CN=admin"),
        Certificate("controller-manager", "/CN=system:kube-controller-manager"),
        Certificate("scheduler", "/CN=system:kube-scheduler"),
        Certificate("proxy", "/CN=system:kube-proxy"),
        Certificate("coredns", "/O=system:masters/CN=coredns"),
        Certificate("kubelet", f"/O=system:nodes/CN=system:node:{layout.node_name}", node),
    )


def ensure(layout: Layout) -> None:
    """Make the authority, all certificates and kubeconfigs, unless they exist; all or nothing."""
    if layout.certificates.exists():
        return
    folder = layout.certificates.with_suffix(".new")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    _make_authority(folder)
    _make_key(folder / "service-accounts.key")
    run(["openssl", "pkey", "-in", folder / "service-accounts.key", "-pubout", "-out", folder / "service-accounts.pub"])
    for certificate in certificates(layout):
        _issue(certificate, folder=folder)
        if certificate.name not in ("apiserver", "apiserver-kubelet"):
            text = _kubeconfig(layout, name=certificate.name, folder=folder)
            (folder / f"{certificate.name}.kubeconfig").write_text(text)
    folder.rename(layout.certificates)


def _make_authority(folder: Path) -> None:
    _make_key(folder / "ca.key")
    subject = ("-subj", "/CN=trainingrun", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    run(["openssl", "req", "-x509", "-new", "-key", folder / "ca.key", *subject, "-days", DAYS, "-out", folder / "ca.crt"])


def _make_key(path: Path) -> None:
    run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path])
    path.chmod(0o600)


def _issue(certificate: Certificate, *, folder: Path) -> None:
    stem = folder / certificate.name
    _make_key(stem.with_suffix(".key"))
    extensions = ["keyUsage=critical,digitalSignature", "extendedKeyUsage=serverAuth,clientAuth"]
    if certificate.alternatives:
        extensions.append("subjectAltName=" + ",".join(certificate.alternatives))
    stem.with_suffix(".ext").write_text("\n".join(extensions))
    request = run(["openssl", "req", "-new", "-key", stem.with_suffix(".key"), "-subj", certificate.subject])
    authority = ("-CA", folder / "ca.crt", "-CAkey", folder / "ca.key", "-CAcreateserial", "-days", DAYS)
    files = ("-extfile", stem.with_suffix(".ext"), "-out", stem.with_suffix(".crt"))
    run(["openssl", "x509", "-req", *authority, *files], stdin=request)


def _kubeconfig(layout: Layout, *, name: str, folder: Path) -> str:
    """A kubeconfig that holds its certificates; JSON is YAML."""

    def encoded(file: str) -> str:
        return base64.b64encode((folder / file).read_bytes()).decode()

    cluster = {"server": layout.server, "certificate-authority-data": encoded("ca.crt")}
    user = {"client-certificate-data": encoded(f"{name}.crt"), "client-key-data": encoded(f"{name}.key")}
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": layout.name, "cluster": cluster}],
            "users": [{"name": name, "user": user}],
            "contexts": [{"name": layout.name, "context": {"cluster": layout.name, "user": name}}],
            "current-context": layout.name,
        },
        indent=2,
    )
