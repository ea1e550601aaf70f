"""Container images of the embedded cluster: load an archive into containerd, and make the pause image."""

import hashlib
import io
import json
import tarfile
from pathlib import Path

from cluster.components import PAUSE_IMAGE
from cluster.errors import ClusterError
from cluster.layout import Layout
from cluster.loaded import Loaded, stamp_of
from cluster.shell import run

LOAD_TIMEOUT = 600.0


def load(layout: Layout, archive: Path) -> bool:
    """Import the image of a Docker archive; returns whether there was anything to do.

    An archive that has been loaded already is not loaded again, and older images of the same repository are removed.
    Raises ClusterError when the file is missing or is no such archive.
    """
    reference = reference_of(archive)
    stamp, record = stamp_of(archive), Loaded(layout.state / "images.json")
    loaded = record.stamps()
    present = set(_list(layout))
    if loaded.get(reference) == stamp and reference in present:
        return False
    _ctr(layout, "images", "import", str(archive))
    repository = reference.rpartition(":")[0]
    outdated = [name for name in present if name.rpartition(":")[0] == repository and name != reference]
    for name in outdated:
        _ctr(layout, "images", "remove", name)
    kept = {name: value for name, value in loaded.items() if name not in outdated}
    record.write({**kept, reference: stamp})
    return True


def reference_of(archive: Path) -> str:
    """The full name, as containerd knows it, of the image in a Docker archive.

    Raises ClusterError when the file is missing or is no Docker archive of one named image.
    """
    if not archive.is_file():
        raise ClusterError(f"There is no image archive {archive}: `make images` builds ours, `docker save` writes others.")
    try:
        with tarfile.open(archive) as opened:
            member = opened.extractfile("manifest.json")
            assert member is not None, "manifest.json is a file"
            (image,) = json.load(member)
            name: str = image["RepoTags"][0]
    except (tarfile.TarError, KeyError, IndexError, TypeError, ValueError) as wrong:
        raise ClusterError(
            f"{archive} is no Docker archive with one named image ({wrong}): write it with `docker save NAME`."
        ) from wrong
    registry, slash, _ = name.partition("/")
    if slash and (registry == "localhost" or "." in registry or ":" in registry):
        return name
    return f"docker.io/{name}" if slash else f"docker.io/library/{name}"


def load_pause(layout: Layout, *, program: Path) -> None:
    """Make the image that holds a pod's namespaces open from our own program, and load it."""
    if PAUSE_IMAGE in _list(layout):
        return
    archive = layout.state / "pause.tar"
    archive.write_bytes(single_program_image(program, reference=PAUSE_IMAGE))
    _ctr(layout, "images", "import", str(archive))


def single_program_image(program: Path, *, reference: str, user: str = "65535:65535") -> bytes:
    """A Docker archive with one layer that holds one static program, its entry point, which is also found by its bare name."""
    layer = _tar({program.name: program.read_bytes()}, mode=0o755)
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Entrypoint": [f"/{program.name}"], "Env": ["PATH=/"], "User": user},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
            "history": [{"created_by": "cluster"}],
        }
    ).encode()
    name = f"{hashlib.sha256(config).hexdigest()}.json"
    manifest = json.dumps([{"Config": name, "RepoTags": [reference], "Layers": ["layer.tar"]}]).encode()
    return _tar({name: config, "layer.tar": layer, "manifest.json": manifest}, mode=0o644)


def _tar(files: dict[str, bytes], *, mode: int) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), mode
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def _list(layout: Layout) -> list[str]:
    return _ctr(layout, "images", "list", "--quiet").split()


def _ctr(layout: Layout, *arguments: str) -> str:
    return run(["ctr", "--address", layout.socket, "--namespace", "k8s.io", *arguments], timeout=LOAD_TIMEOUT)
