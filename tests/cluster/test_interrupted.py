"""What is built can be interrupted in every way at any moment: nothing goes on running, and the next build ends well."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import images
from cluster.binaries import MODULES, ensure_extra
from cluster.processes import start_time
from images.builder import Buildah
from images.cache import locked
from images.packages import ensure as ensure_packages
from tests.cluster.test_binaries import a_module
from tests.waiting import wait_for

ROOT = Path(__file__).parent.parent.parent
(PAUSE,) = (module for module in MODULES if module.name == "pause")
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGKILL]

GO = """#!/bin/sh
if [ "$1" = build ]; then echo $$ > {folder}/building; exec sleep 600; fi
exec {go} "$@"
"""
BUILD_A_PROGRAM = """
import signal, sys
from pathlib import Path
from cluster.binaries import ensure_extra
from tests.cluster.test_binaries import a_module
signal.signal(signal.SIGINT, signal.default_int_handler)
ensure_extra(a_module(Path(sys.argv[1]) / "source", body=""), cache=Path(sys.argv[1]) / "cache")
"""
BUILD_AN_IMAGE = """
import signal, sys
from pathlib import Path
from images.builder import Buildah
signal.signal(signal.SIGINT, signal.default_int_handler)
folder = Path(sys.argv[1])
Buildah.of(folder).build_from(folder / "context", target="waits", reference="localhost/waits:1", arguments={})
"""


@pytest.mark.parametrize("number", SIGNALS)
def test_the_compiler_ends_with_who_started_it_and_the_next_build_finds_nothing_of_it(
    number: signal.Signals, tmp_path: Path
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "go").write_text(GO.format(folder=tmp_path, go=shutil.which("go")))
    (programs / "go").chmod(0o755)
    (tmp_path / "cache").mkdir()
    path = {"PATH": f"{programs}:{os.environ['PATH']}"}
    with subprocess.Popen([sys.executable, "-c", BUILD_A_PROGRAM, tmp_path], cwd=ROOT, env={**os.environ, **path}) as building:
        compiling = int(wait_for(lambda: told(tmp_path / "building"), bool, what="Go to build", timeout=20, interval=0.05))
        building.send_signal(number)
    wait_for(lambda: start_time(compiling), lambda found: found is None, what="Go to end", timeout=10, interval=0.02)

    ensure_extra(a_module(tmp_path / "source", body=""), cache=tmp_path / "cache")

    left = {path.suffix for path in (tmp_path / "cache" / "bin").iterdir()}
    assert left == {"", ".lock"}


@pytest.fixture
def builder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Buildah]:
    """One with a store of its own, of which no mount is left."""
    monkeypatch.setenv("TRAININGRUN_CACHE", str(tmp_path))
    made = Buildah.of(tmp_path)
    yield made
    made.clear()


@pytest.mark.parametrize("number", SIGNALS)
def test_an_image_build_ends_with_who_started_it_and_what_it_has_left_is_tidied_away(
    number: signal.Signals, tmp_path: Path, builder: Buildah
) -> None:
    context, program = a_context(tmp_path)
    with subprocess.Popen([sys.executable, "-c", BUILD_AN_IMAGE, tmp_path], cwd=ROOT) as building:
        wait_for(lambda: runs(program), bool, what="the build to run its program", timeout=60, interval=0.05)
        building.send_signal(number)
    wait_for(lambda: runs(program), lambda found: not found, what="the program to end", timeout=20, interval=0.05)

    with locked("images"):
        images.tidy()
    assert builder.containers() != []  # another might be building in it
    images.tidy()

    assert [line for line in Path("/proc/mounts").read_text().splitlines() if f"{tmp_path}/" in line] == []
    assert builder.containers() == []
    (context / "Dockerfile").write_text(f"FROM scratch AS waits\nCOPY {program} /\n")
    builder.build_from(context, target="waits", reference="localhost/waits:1", arguments={})
    assert builder.has("localhost/waits:1")


def a_context(folder: Path) -> tuple[Path, str]:
    """A folder whose Dockerfile runs a program of a name of its own, which waits."""
    ensure_packages({"buildah": "buildah"}, needed_by="This test needs")
    context = folder / "context"
    context.mkdir()
    program = f"waits-{folder.name}-{os.getpid()}"
    shutil.copy(ensure_extra(PAUSE, cache=folder)["pause"], context / program)
    (context / "Dockerfile").write_text(f'FROM scratch AS waits\nCOPY {program} /\nRUN ["/{program}"]\n')
    return context, program


def told(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def runs(program: str) -> bool:
    """Whether there is a process of a program of this name."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes().split(b"\0")[0].endswith(program.encode()):
                return True
        except OSError:
            continue
    return False
