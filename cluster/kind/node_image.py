"""The node image of kind for machines that reach no registry, from kind's own base and the programs of the embedded cluster."""

import hashlib
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from string import Template

from cluster import binaries
from cluster.binaries import KUBERNETES_VERSION, GoModule
from cluster.errors import ClusterError
from cluster.images import single_program_image
from images.builder import Buildah
from images.cache import locked
from images.errors import ImageError

KIND = GoModule("kind", ("sigs.k8s.io/kind",))
KUBEADM = GoModule("kubeadm", ("k8s.io/kubernetes/cmd/kubeadm",), flags=binaries.KUBERNETES_FLAGS)
CRICTL = GoModule("crictl", ("sigs.k8s.io/cri-tools/cmd/crictl",))
PROVISIONER = GoModule("local-path-provisioner", ("github.com/rancher/local-path-provisioner",))
"""Makes volumes for claims, as in kind's public node image."""

REPOSITORY = "trainingrun.dev"
"""Of the images inside the node: they are not those of registry.k8s.io, so they do not bear its name."""
PAUSE = f"{REPOSITORY}/pause:1"

_KIND_PATH = "sigs.k8s.io/kind"
_PROVISIONER_PATH = "github.com/rancher/local-path-provisioner"
_SOURCES = Path(__file__).parent
_NODE = _SOURCES / "node"


@dataclass(frozen=True)
class _Versions:
    etcd: str
    coredns: str
    provisioner: str

    @classmethod
    def pinned(cls) -> "_Versions":
        modules = {module.name: module for module in binaries.MODULES}
        return cls(
            etcd=binaries.version_of("go.etcd.io/etcd/server/v3", module=modules["etcd"]).removeprefix("v"),
            coredns=binaries.version_of("github.com/coredns/coredns", module=modules["coredns"]),
            provisioner=binaries.version_of(_PROVISIONER_PATH, module=PROVISIONER),
        )


def reference(cache: Path) -> str:
    """Full name of the image; it changes with everything that the image is made of."""
    digest = hashlib.sha256()
    for _, program in sorted(_programs(cache).items()):
        digest.update(f"{program.parent.name}/{program.name}\n".encode())
    for path in sorted((*_NODE.iterdir(), Path(__file__))):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return f"{REPOSITORY}/kind-node:{digest.hexdigest()[:12]}"


def ensure(cache: Path) -> str:
    """Build the image unless it is in the builder's store, and return its name.

    Takes about three minutes when the programs of the embedded cluster have been built, else ten more. Raises ClusterError.
    """
    name = reference(cache)
    try:
        with locked("images"):
            builder = Buildah.prepare(cache)
            if not builder.has(name):
                _build(name, builder=builder, programs=_programs(cache), cache=cache)
    except ImageError as problem:
        raise ClusterError(str(problem)) from problem
    return name


def cluster_configuration() -> str:
    """kind's configuration for clusters of this image."""
    versions = _Versions.pinned()
    text = Template((_SOURCES / "cluster.yaml").read_text())
    return text.substitute(repository=REPOSITORY, etcd=versions.etcd, coredns=versions.coredns)


def _programs(cache: Path) -> dict[str, Path]:
    programs = binaries.ensure(cache)
    for module in (KUBEADM, CRICTL, PROVISIONER, KIND):
        programs |= binaries.ensure_extra(module, cache=cache)
    return programs


def _build(name: str, *, builder: Buildah, programs: dict[str, Path], cache: Path) -> None:
    print(f"  building {name}", flush=True)
    base = f"{REPOSITORY}/kind-base:{binaries.version_of(_KIND_PATH, module=KIND)}"
    sources = binaries.source_of(_KIND_PATH, module=KIND) / "images" / "base"
    builder.build_from(sources, target="base", reference=base, arguments={"BASE_IMAGE": builder.base})
    with tempfile.TemporaryDirectory(dir=cache, prefix=".kind-node-") as folder:
        context = Path(folder)
        shutil.copytree(_NODE, context, dirs_exist_ok=True)
        for program in ("kubeadm", "kubelet", "kubectl", "crictl", "kube-proxy"):
            shutil.copy(programs[program], context)
        manifest = binaries.source_of(_PROVISIONER_PATH, module=PROVISIONER) / "deploy" / "local-path-storage.yaml"
        shutil.copyfile(manifest, context / "local-path-storage.yaml")
        arguments = {"DEBIAN": builder.base, "KIND_BASE": base, "PAUSE": PAUSE, "KUBE_PROXY": _kubernetes("kube-proxy")}
        _write_images(context / "images", programs=programs)
        builder.build_from(context, target="kube-proxy", reference=_kubernetes("kube-proxy"), arguments=arguments)
        builder.save(reference=_kubernetes("kube-proxy"), archive=context / "images" / "kube-proxy.tar")
        builder.build_from(context, target="node", reference=name, arguments=arguments)


def _write_images(folder: Path, *, programs: dict[str, Path]) -> None:
    """Archives of the images that need nothing but their program."""
    versions = _Versions.pinned()
    folder.mkdir()
    for program, image in {
        **{name: _kubernetes(name) for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler")},
        "etcd": f"{REPOSITORY}/etcd:{versions.etcd}",
        "coredns": f"{REPOSITORY}/coredns:{versions.coredns}",
        "pause": PAUSE,
        "local-path-provisioner": f"docker.io/rancher/local-path-provisioner:{versions.provisioner}",
    }.items():
        (folder / f"{program}.tar").write_bytes(single_program_image(programs[program], reference=image, user="0:0"))


def _kubernetes(program: str) -> str:
    return f"{REPOSITORY}/{program}:v{KUBERNETES_VERSION}"
