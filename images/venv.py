"""The trainer's environment on this machine, for its tests: the image's own requirements and its own Horovod wheel."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from images.builder import choose
from images.cache import cache_folder, locked
from images.errors import ImageError
from images.packages import ensure
from images.recipe import ROOT, WHEEL_INPUTS, fingerprint

INPUTS = ("requirements/test.txt", "sdk/pyproject.toml", "trainer-image/pyproject.toml", *WHEEL_INPUTS)

PYTHON = "3.11"
"""The version of the image's Python: the wheel fits no other."""

DEBIAN_PACKAGES = {"openmpi-bin": "mpirun", "openssh-client": "ssh", "openssh-server": "/usr/sbin/sshd"}
"""Horovod is linked with Open MPI, whose gangs the tests start as the image does."""


def make(target: Path) -> None:
    """Make the environment at `target`, unless it is there. The Horovod wheel is taken out of the image's build, which is kept.

    Only one process at a time makes it; another that waits for it finds it made, and maybe in use.
    """
    with locked("venv"):
        stamp, made_of = target / "made-of", fingerprint(INPUTS)
        if stamp.exists() and stamp.read_text() == made_of:
            return
        _make(target)
        stamp.write_text(made_of)


def _make(target: Path) -> None:
    uv = ROOT / ".venv" / "bin" / "uv"
    if not uv.exists():
        raise ImageError("The developer environment is missing: run `make .venv/ready` first.")
    ensure(DEBIAN_PACKAGES, needed_by="The trainer's environment needs")
    wheel = horovod_wheel()
    python = target / "bin" / "python"
    _run(uv, "venv", "--quiet", "--clear", "--python", PYTHON, target)
    install = (uv, "pip", "install", "--quiet", "--python", python)
    _run(*install, "--no-deps", "--require-hashes", "-r", ROOT / "requirements" / "trainer.txt")
    _run(*install, "--require-hashes", "-r", ROOT / "requirements" / "test.txt")
    _run(*install, "--no-deps", "--no-build-isolation", wheel, "-e", ROOT / "sdk", "-e", ROOT / "trainer-image")
    _compile(python)


def horovod_wheel() -> Path:
    """The Horovod wheel that the image has, built once for all that it is built from."""
    folder = cache_folder() / "wheels" / fingerprint(WHEEL_INPUTS)
    if not folder.exists():
        with locked("images"):  # which have most of its layers
            _extract(folder)
    return next(folder.glob("horovod-*.whl"))


def _extract(folder: Path) -> None:
    if folder.exists():
        return
    builder = choose(cache_folder())
    reference = "localhost/trainingrun-horovod:latest"
    builder.build(target="horovod", reference=reference)
    temporary = folder.with_suffix(".new")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    builder.copy_out(reference=reference, folder="/wheels", target=temporary)
    temporary.rename(folder)


def _compile(python: Path) -> None:
    """Compile the packages, also where PYTHONDONTWRITEBYTECODE is set; some files of theirs are no valid Python 3."""
    packages = python.parent.parent / "lib" / f"python{PYTHON}" / "site-packages"
    subprocess.run([python, "-m", "compileall", "-q", "-j", "2", packages], capture_output=True, check=False)


def _run(*command: str | Path) -> None:
    done = subprocess.run(
        [str(word) for word in command], env={**os.environ}, capture_output=True, text=True, timeout=1200, check=False
    )
    if done.returncode != 0:
        print(done.stdout, file=sys.stderr)
        raise ImageError(f"`{' '.join(str(word) for word in command[:4])} ...` failed: {done.stderr.strip()}")
