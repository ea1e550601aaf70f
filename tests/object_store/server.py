"""A real S3-compatible server for tests: a gateway to a folder, in which a bucket is a folder and an object is a file."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cluster.binaries import GoModule, ensure_extra
from images.cache import cache_folder
from tests.patience import patience

ACCESS_KEY = "the-test"
SECRET_KEY = "a-secret-of-the-test"
START_SECONDS = 20.0

_HERE = Path(__file__).parent
S3 = GoModule("s3", ("github.com/versity/versitygw/cmd/versitygw",), source=_HERE / "go")
GOOGLE = GoModule("gcs", ("github.com/fsouza/fake-gcs-server",), source=_HERE / "go-google")


@dataclass(frozen=True)
class ObjectStore:
    """A server that runs."""

    address: str
    """Its host and port."""
    folder: Path
    is_secure: bool = False

    @property
    def endpoint(self) -> str:
        """Its URL."""
        return f"{'https' if self.is_secure else 'http'}://{self.address}"

    def bucket(self, name: str) -> Path:
        """The folder of a bucket, which is made if need be."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        return folder


def build() -> Path:
    """The program; built first, which takes a minute, unless it has been."""
    return ensure_extra(S3, cache=cache_folder())["versitygw"]


@contextmanager
def object_store(
    program: Path, *, folder: Path, address: str, certificate: Path | None = None, prefix: Sequence[str | Path] = ()
) -> Iterator[ObjectStore]:
    """A server for as long as the context lasts; `folder` holds its buckets, and nothing else.

    With a certificate, beside which is its `.key`, it speaks TLS. `prefix` are the first words of its command line.
    """
    tls = () if certificate is None else ("--cert", certificate, "--key", certificate.with_suffix(".key"))
    # Metadata would need extended attributes, which not every file system has.
    command = [*prefix, program, *tls, "--port", address, "posix", "--nometa", folder]
    environment = {**os.environ, "ROOT_ACCESS_KEY": ACCESS_KEY, "ROOT_SECRET_KEY": SECRET_KEY}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as serving:
        store = ObjectStore(address=address, folder=folder, is_secure=certificate is not None)
        try:
            _wait_until_it_listens(store)
            yield store
        finally:
            serving.terminate()


@contextmanager
def google_store(*, folder: Path, address: str) -> Iterator[ObjectStore]:
    """A stand-in for Google Cloud Storage, which asks for no credentials; built first if need be."""
    program = ensure_extra(GOOGLE, cache=cache_folder())["fake-gcs-server"]
    host, _, port = address.rpartition(":")
    listening = ("-scheme", "http", "-host", host, "-port", port, "-external-url", f"http://{address}")
    command: list[str | Path] = [program, *listening, "-backend", "filesystem", "-filesystem-root", folder]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as serving:
        store = ObjectStore(address=address, folder=folder)
        try:
            _wait_until_it_listens(store)
            yield store
        finally:
            serving.terminate()


def put_credentials(folder: Path, *, secret: str = SECRET_KEY) -> Path:
    """The keys of a Secret as the kubelet mounts them; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "AWS_ACCESS_KEY_ID").write_text(ACCESS_KEY)
    (folder / "AWS_SECRET_ACCESS_KEY").write_text(f"{secret}\n")  # as editors leave it
    return folder


def make_certificate(path: Path, *, address: str) -> Path:
    """A certificate of a server at this IP address that has signed itself, its `.key` beside it; returns its path."""
    names = ("-subj", "/CN=store", "-addext", f"subjectAltName=IP:{address}")
    files = ("-out", path, "-keyout", path.with_suffix(".key"))
    command: list[str | Path] = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", *names, *files]
    subprocess.run(command, check=True, capture_output=True)
    return path


def _wait_until_it_listens(store: ObjectStore) -> None:
    host, _, port = store.address.rpartition(":")
    patient = patience(START_SECONDS)
    deadline = time.monotonic() + patient
    while True:
        try:
            socket.create_connection((host, int(port)), timeout=patience(2)).close()
        except OSError:
            assert time.monotonic() < deadline, f"no object store at {store.endpoint} after {patient:.0f} s"
            time.sleep(0.05)
        else:
            return
