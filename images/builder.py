"""Build the targets of the Dockerfile, with Docker where its engine runs, else with buildah."""

import hashlib
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from images.base import REFERENCE, ensure_archive
from images.errors import ImageError
from images.packages import ensure
from images.recipe import ROOT
from images.shell import answers, read, stream

CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
_HAS_GONE = "container not known"
_TRIES, _PAUSE_SECONDS = 20, 0.25
DEBIAN_PACKAGES = {"buildah": "buildah", "debootstrap": "debootstrap", "runc": "runc"}


class Builder(Protocol):
    """A tool that builds images and keeps them in a local store."""

    def build(self, *, target: str, reference: str) -> None:
        """Build a target of the Dockerfile."""

    def build_from(
        self, context: Path, *, target: str, reference: str, arguments: Mapping[str, str], options: Sequence[str] = ()
    ) -> None:
        """Build a target of the Dockerfile in a folder; `arguments` are its ARGs, `options` go to the tool."""

    def save(self, *, reference: str, archive: Path) -> None:
        """Write an image as a Docker archive."""

    def push(self, *, reference: str, destination: str) -> None:
        """Push an image to a registry."""

    def copy_out(self, *, reference: str, folder: str, target: Path) -> None:
        """Copy a folder out of an image."""


def choose(cache: Path) -> Builder:
    """The builder of $BUILDER (docker or buildah), else Docker if its engine answers, else buildah."""
    wanted = _wanted()
    if wanted == "docker":
        return Docker()
    if wanted == "buildah":
        return Buildah.prepare(cache)
    raise ImageError(f"There is no builder {wanted!r}: BUILDER is docker or buildah.")


def needed_packages() -> dict[str, str]:
    """Debian packages, and a program of each, that the builder which `choose` takes needs on this machine."""
    return DEBIAN_PACKAGES if _wanted() == "buildah" else {}


def _wanted() -> str:
    return os.environ.get("BUILDER") or ("docker" if answers(["docker", "info"]) else "buildah")


class Docker:
    """The docker command; the base image comes from a registry."""

    def build(self, *, target: str, reference: str) -> None:
        """See `Builder`."""
        self.build_from(ROOT, target=target, reference=reference, arguments={})

    def build_from(
        self, context: Path, *, target: str, reference: str, arguments: Mapping[str, str], options: Sequence[str] = ()
    ) -> None:
        """See `Builder`."""
        given = [word for name, value in arguments.items() for word in ("--build-arg", f"{name}={value}")]
        stream(["docker", "build", "--target", target, "--tag", reference, *given, *options, context])

    def save(self, *, reference: str, archive: Path) -> None:
        """See `Builder`."""
        stream(["docker", "save", "--output", archive, reference])

    def push(self, *, reference: str, destination: str) -> None:
        """See `Builder`."""
        stream(["docker", "tag", reference, destination])
        stream(["docker", "push", destination])

    def copy_out(self, *, reference: str, folder: str, target: Path) -> None:
        """See `Builder`."""
        name = f"trainingrun-copy-{os.getpid()}"
        stream(["docker", "create", "--name", name, reference], quiet=True)
        try:
            stream(["docker", "cp", f"{name}:{folder}/.", target], quiet=True)
        finally:
            stream(["docker", "rm", name], quiet=True)


@dataclass(frozen=True)
class Buildah:
    """buildah with a store of its own in the cache; nothing else on the machine is touched."""

    store: Path
    base: str

    @classmethod
    def of(cls, cache: Path) -> "Buildah":
        """The builder of this cache, whether or not it can build yet."""
        return cls(store=cache / "buildah", base=os.environ.get("BASE") or REFERENCE)

    @classmethod
    def prepare(cls, cache: Path) -> "Buildah":
        """Install buildah if it is missing, tidy up after interrupted builds, and make the base image.

        The caller holds the lock on the images.
        """
        ensure(DEBIAN_PACKAGES, needed_by="Building images needs Docker, or")
        builder = cls.of(cache)
        builder.clear()
        if builder.base == REFERENCE and not builder.has(REFERENCE):
            builder._import_base(ensure_archive(cache))
        return builder

    def build(
        self, *, target: str, reference: str, arguments: Mapping[str, str] | None = None, options: Sequence[str] = ()
    ) -> None:
        """See `Builder`. Behind a mirror with a certificate of its own, pip is told of the host's certificates.

        `arguments` are further ARGs of the Dockerfile, `options` go to buildah.
        """
        given = {"BASE": self.base, **(arguments or {})}
        volumes = []
        if CERTIFICATES.exists():
            given["PIP_CERT"] = str(CERTIFICATES)
            volumes = ["--volume", f"{CERTIFICATES}:{CERTIFICATES}:ro"]
        self.build_from(ROOT, target=target, reference=reference, arguments=given, options=[*volumes, *options])

    def build_from(
        self, context: Path, *, target: str, reference: str, arguments: Mapping[str, str], options: Sequence[str] = ()
    ) -> None:
        """See `Builder`."""
        self._run(
            *("build-using-dockerfile", "--layers", "--format", "docker", "--target", target, "--tag", reference),
            *(word for name, value in arguments.items() for word in ("--build-arg", f"{name}={value}")),
            *(*options, str(context)),
        )

    def containers(self) -> list[str]:
        """The containers in which something is being built, or was when it was interrupted.

        When one goes while buildah lists them, it lists none of the others either: it is asked again.
        """
        command = ["buildah", *self._options(), "containers", "--quiet"]
        for _ in range(_TRIES - 1):
            try:
                return read(command).split()
            except ImageError as problem:
                if _HAS_GONE not in str(problem):
                    raise
            time.sleep(_PAUSE_SECONDS)
        return read(command).split()

    def clear(self) -> None:
        """Remove the containers of builds that were interrupted, and their mounts. Nothing may be built at this moment."""
        if self.containers():
            self._run("rm", "--all")

    def has(self, reference: str) -> bool:
        """Whether the image is in the store."""
        return answers(["buildah", *self._options(), "inspect", "--type", "image", reference])

    def save(self, *, reference: str, archive: Path) -> None:
        """See `Builder`."""
        self._run("push", "--quiet", reference, f"docker-archive:{archive}:{reference}")

    def save_layout(self, *, reference: str, layout: Path, tag: str) -> None:
        """Write an image as an OCI layout, a folder, under a tag."""
        self._run("push", "--quiet", "--format", "oci", reference, f"oci:{layout}:{tag}")

    def push(self, *, reference: str, destination: str) -> None:
        """See `Builder`. A registry on loopback is spoken to without TLS, as Docker does."""
        plain = destination.startswith(("127.", "localhost"))
        self._run("push", "--quiet", *(["--tls-verify=false"] if plain else []), reference, f"docker://{destination}")

    def copy_out(self, *, reference: str, folder: str, target: Path) -> None:
        """See `Builder`."""
        name = f"trainingrun-copy-{os.getpid()}"
        self._run("from", "--name", name, reference)
        script = f'cp -r "$(buildah {" ".join(self._options())} mount {name})"{folder}/. "{target}"'
        try:
            stream(["sh", "-c", script], environment=_ENVIRONMENT, quiet=True)
        finally:
            self._run("rm", name)

    def _import_base(self, archive: Path) -> None:
        container = f"trainingrun-base-{os.getpid()}"
        self._run("from", "--name", container, "scratch")
        self._run("add", "--quiet", container, str(archive), "/")
        self._run("commit", "--quiet", "--rm", "--format", "docker", container, REFERENCE)

    def _run(self, *arguments: str) -> None:
        self.store.mkdir(parents=True, exist_ok=True)
        stream(["buildah", *self._options(), *arguments], environment=_ENVIRONMENT)

    @property
    def runroot(self) -> Path:
        """What this store, and no other, keeps until the machine is started again."""
        return Path(f"/run/trainingrun-buildah-{os.getuid()}-{hashlib.sha256(str(self.store).encode()).hexdigest()[:8]}")

    def _options(self) -> list[str]:
        return ["--root", str(self.store), "--runroot", str(self.runroot)]


_ENVIRONMENT = {"BUILDAH_ISOLATION": "chroot", "STORAGE_DRIVER": "overlay"}
