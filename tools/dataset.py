"""Copy a local folder into a PersistentVolumeClaim."""

import io
import tarfile
from pathlib import Path

from tools.copy_pod import MOUNT, copy_pod
from tools.kubectl import Kubectl


def upload(kubectl: Kubectl, folder: Path, *, claim: str, path: str, image: str) -> None:
    """Put the files of `folder` at `path` of the claim; files of the same name are replaced.

    Raises KubectlError when the pod does not start within two minutes or the copy fails.
    """
    with copy_pod(kubectl, name="trainingrun-copy", claim=claim, image=image) as pod:
        kubectl.run("exec", "-i", pod, "--", "python3", "-c", _UNPACK, f"{MOUNT}/{path}", stdin=_tar(folder), timeout=120)


_UNPACK = "import sys, tarfile; tarfile.open(fileobj=sys.stdin.buffer, mode='r|').extractall(sys.argv[1])"


def _tar(folder: Path) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            archive.add(file, arcname=str(file.relative_to(folder)))
    return packed.getvalue()
