"""What the images are made of, and the tags that follow from it: an unchanged image keeps its tag. No I/O but reading."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
_COMMON = ("Dockerfile", "sdk/src")


@dataclass(frozen=True)
class Recipe:
    """An image, and the files and folders of the repository that go into it."""

    name: str
    """Also of its target in the Dockerfile."""
    inputs: tuple[str, ...]
    needed_bytes: int = 12_000_000_000
    """Free space that building it takes, archive included."""

    @property
    def repository(self) -> str:
        """Name of the image without its tag."""
        return f"trainingrun-{self.name}"

    @property
    def tag(self) -> str:
        """Hash of everything that goes into the image."""
        return fingerprint(self.inputs)

    @property
    def reference(self) -> str:
        """Full name, as containerd knows it."""
        return f"docker.io/library/{self.repository}:{self.tag}"


_HOROVOD = ("requirements/horovod.txt", "requirements/horovod-build.txt", "trainer-image/horovod")
_TRAINER = (*_COMMON, "trainer-image/src", "examples/data")

USUAL = {
    "operator": Recipe("operator", (*_COMMON, "requirements/operator.txt", "operator/src")),
    "trainer": Recipe("trainer", (*_TRAINER, "requirements/trainer.txt", *_HOROVOD)),
}
ACCELERATED = {
    "trainer-gpu": Recipe(
        "trainer-gpu",
        (*_TRAINER, "requirements/trainer-gpu.txt", "requirements/horovod-gpu-build.txt", *_HOROVOD),
        needed_bytes=40_000_000_000,
    ),
    "trainer-tpu": Recipe("trainer-tpu", (*_TRAINER, "requirements/trainer-tpu.txt")),
}
"""Only built when somebody asks for them."""
RECIPES = USUAL | ACCELERATED
WHEEL_INPUTS = ("Dockerfile", "requirements/trainer.txt", *_HOROVOD)


def fingerprint(inputs: tuple[str, ...], *, root: Path = ROOT) -> str:
    """Hash of the names, contents and permissions of these files and folders."""
    digest = hashlib.sha256()
    for name in inputs:
        for path in _files(root / name):
            content = path.read_bytes()
            digest.update(f"{path.relative_to(root)} {path.stat().st_mode & 0o111} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:12]


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    for child in sorted(path.rglob("*")):
        if child.is_file() and "__pycache__" not in child.parts and ".egg-info" not in str(child):
            yield child
