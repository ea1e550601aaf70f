"""An image for this machine, as it says, and whose only program is for other processors: such is a wrong build."""

import hashlib
import io
import json
import platform
import struct
import tarfile
import tempfile
from pathlib import Path

import cluster

_NAME = "docker.io/library/trainingrun-foreign:1"
_SPARC = 43
"""In ELF's numbering; no node of a test has one."""
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def load(backend: cluster.Cluster) -> str:
    """Bring the image into the cluster, and return its name."""
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "foreign.tar"
        layer = _archive({"foreign": _program()})
        config = {
            "architecture": _ARCHITECTURES.get(platform.machine(), platform.machine()),
            "os": "linux",
            "config": {"Entrypoint": ["/foreign"]},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
        }
        manifest = [{"Config": "config.json", "RepoTags": [_NAME], "Layers": ["layer.tar"]}]
        files = {"config.json": config, "manifest.json": manifest}
        archive.write_bytes(_archive({**{name: json.dumps(each).encode() for name, each in files.items()}, "layer.tar": layer}))
        backend.load(archive)
    return _NAME


def _program() -> bytes:
    """An ELF header, of which the kernel reads no more than whose it is."""
    return b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 2, _SPARC, 1, 0, 64, 0, 0, 64, 56, 0, 0, 0, 0)


def _archive(files: dict[str, bytes]) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as made:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            made.addfile(entry, io.BytesIO(content))
    return archive.getvalue()
