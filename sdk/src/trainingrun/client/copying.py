"""Files to and from a claim, as one stream of tar through a pod: nothing is held in memory or kept on this disk."""

import os
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from threading import Thread
from typing import BinaryIO

from trainingrun.client.errors import ReportError, UsageError
from trainingrun.client.port import Cluster, Object
from trainingrun.client.volume_pod import MOUNT, volume_pod

_UNPACK = (
    "import os, sys, tarfile\n"
    "os.makedirs(sys.argv[1], exist_ok=True)\n"
    "tarfile.open(fileobj=sys.stdin.buffer, mode='r|').extractall(sys.argv[1])"
)
_PACK = (
    "import os, sys, tarfile\n"
    "path = sys.argv[1]\n"
    "if not os.path.exists(path):\n"
    "    up = os.path.dirname(path)\n"
    "    there = ', '.join(sorted(os.listdir(up))[:20]) if os.path.isdir(up) else 'not even its folder'\n"
    "    sys.exit('it does not exist; there is: ' + there)\n"
    "with tarfile.open(fileobj=sys.stdout.buffer, mode='w|') as archive:\n"
    "    archive.add(path, arcname=os.path.basename(path))"
)

Say = Callable[[str], None]
"""Told the name of each file as it passes."""


def upload(
    cluster: Cluster,
    local: Path,
    *,
    claim: str,
    path: str,
    image: str,
    namespace: str | None = None,
    say: Say = lambda name: None,
) -> int:
    """Put a file, or the files of a folder, at `path` of the claim, and return how many; files of the same name are replaced.

    Raises UsageError when there is nothing to copy, and ReportError or WaitTimeoutError when the claim cannot be reached.
    """
    files = sorted(each for each in local.rglob("*") if each.is_file()) if local.is_dir() else [local]
    if not files or not files[0].is_file():
        raise UsageError(f"There is no file in {local}, or no such folder: nothing can be copied.")
    target = str(PurePosixPath(MOUNT, _relative(path)))
    base = local if local.is_dir() else local.parent
    with volume_pod(cluster, claim=claim, image=image, namespace=namespace, is_writer=True) as pod:
        reading, writing = os.pipe()
        with _Beside(lambda: _pack(files, base, writing, say)), open(reading, "rb") as source:
            done = cluster.execute(pod, ["python3", "-c", _UNPACK, target], namespace=namespace, stdin=source)
    if done.exit_code != 0:
        raise ReportError(f"{path or '/'} of the claim {claim} cannot be written: {_last_line(done.errors)}.")
    return len(files)


def _pack(files: Sequence[Path], base: Path, writing: int, say: Say) -> None:
    try:
        with open(writing, "wb") as pipe, tarfile.open(fileobj=pipe, mode="w|") as archive:
            for file in files:
                say(str(file.relative_to(base)))
                archive.add(file, arcname=str(file.relative_to(base)))
    except BrokenPipeError:
        return  # the pod has gone; the other end says why


def download(
    cluster: Cluster,
    *,
    claim: str,
    path: str,
    into: Path,
    image: str,
    namespace: str | None = None,
    owner: Object | None = None,
    say: Say = lambda name: None,
) -> list[Path]:
    """Copy a file or a folder of the claim into a local folder, and return what was written.

    Whatever the archive says, nothing is written outside of the folder. Raises ReportError when the path is not there, and
    names what is.
    """
    source = str(PurePosixPath(MOUNT, _relative(path)))
    written: list[Path] = []
    failed: list[Exception] = []
    with volume_pod(cluster, claim=claim, image=image, namespace=namespace, owner=owner) as pod:
        reading, writing = os.pipe()
        with _Beside(lambda: _unpack(reading, into, written=written, failed=failed, say=say)), open(writing, "wb") as sink:
            done = cluster.execute(pod, ["python3", "-c", _PACK, source], namespace=namespace, stdout=_Draining(sink, failed))
    if done.exit_code != 0:
        raise ReportError(f"{path} of the claim {claim} cannot be read: {_last_line(done.errors)}.")
    if failed:
        raise ReportError(f"{path} of the claim {claim} cannot be written to {into}: {failed[0]}.")
    return written


def _unpack(reading: int, into: Path, *, written: list[Path], failed: list[Exception], say: Say) -> None:
    try:
        with open(reading, "rb") as pipe, tarfile.open(fileobj=pipe, mode="r|") as archive:
            for member in archive:
                say(member.name)
                archive.extract(member, into, filter="data")
                written.extend([into / member.name] if member.isfile() else [])
    except (tarfile.TarError, OSError) as problem:
        failed.append(problem)


class _Draining:
    """Passes bytes on while somebody takes them; what comes after the taker has failed is dropped, so that the pod can end."""

    def __init__(self, sink: BinaryIO, failed: list[Exception]) -> None:
        self._sink = sink
        self._failed = failed

    def write(self, data: bytes) -> int:
        if not self._failed:
            try:
                self._sink.write(data)
            except BrokenPipeError as problem:
                self._failed.append(problem)
        return len(data)


class _Beside:
    """Runs a function beside, and waits for it at the end."""

    def __init__(self, target: Callable[[], None]) -> None:
        self._thread = Thread(target=target, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._thread.join()


def _relative(path: str) -> str:
    """A path inside of the claim. Raises UsageError for one that leads out of it."""
    if ".." in PurePosixPath(path).parts:
        raise UsageError(f"{path} leads out of the claim: paths are below its root.")
    return path.lstrip("/")


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip().rstrip(".") if lines else "the command in the pod has failed without a word"
