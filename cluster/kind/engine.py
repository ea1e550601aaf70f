"""What kind runs its nodes on: Docker with kind's public node image, or podman with a node image that is built here."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from cluster.errors import ClusterError
from cluster.kind.podman import Podman
from images.shell import answers

PROVIDER = "KIND_EXPERIMENTAL_PROVIDER"


class Engine(Protocol):
    """Runs kind's nodes."""

    def prepare(self) -> None:
        """Install and build what is missing; raises ClusterError where that cannot be done."""

    def is_there(self) -> bool:
        """Whether there can be clusters of it: nothing is installed or built to find out."""

    def kind(self) -> str:
        """The kind program."""

    def kubectl(self) -> str:
        """A kubectl that fits."""

    def environment(self) -> Mapping[str, str]:
        """Environment that kind runs in."""

    def creation(self) -> tuple[str, ...]:
        """Options of `kind create cluster`."""

    def clean(self) -> None:
        """Remove what the engine leaves on the machine when it has no clusters any more."""


def choose(cache: Path) -> Engine:
    """Docker where it answers, or the engine that the user has told kind to use, else podman with an image of our own."""
    if PROVIDER in os.environ or answers(["docker", "info"]):
        return Installed()
    return Podman(cache=cache)


class Installed:
    """The user's own kind, and kind's public node image."""

    def prepare(self) -> None:
        """See `Engine`."""
        missing = [program for program in ("kind", "kubectl") if shutil.which(program) is None]
        if missing:
            raise ClusterError(
                f"CLUSTER=kind needs {' and '.join(missing)}, not found on PATH: install it, or leave CLUSTER out to use "
                "the embedded cluster."
            )

    def is_there(self) -> bool:
        """See `Engine`."""
        return shutil.which("kind") is not None

    def kind(self) -> str:
        """See `Engine`."""
        return "kind"

    def kubectl(self) -> str:
        """See `Engine`."""
        return "kubectl"

    def environment(self) -> Mapping[str, str]:
        """See `Engine`."""
        return os.environ

    def creation(self) -> tuple[str, ...]:
        """See `Engine`."""
        return ()

    def clean(self) -> None:
        """See `Engine`: the user's engine is the user's."""
