"""The embedded cluster on this machine: it comes up, stays as it is, shares the machine, and leaves nothing behind."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

import cluster
from cluster.cgroups import hierarchies
from cluster.components import COMPONENTS
from cluster.embedded import EmbeddedCluster
from cluster.families import LINKS
from cluster.layout import layout
from cluster.processes import Process
from cluster.shell import run
from images.cache import cache_folder
from tests.waiting import wait_for

ROOT = Path(__file__).parent.parent.parent
NAMES = ("lifecycle-a", "lifecycle-b")


@dataclass(frozen=True)
class Traces:
    """What clusters of these tests have on this machine."""

    processes: tuple[str, ...]
    mounts: tuple[str, ...]
    interfaces: tuple[str, ...]
    namespaces: tuple[str, ...]
    cgroups: tuple[str, ...]
    folders: tuple[str, ...]


NOTHING = Traces((), (), (), (), (), ())


def traces(before: frozenset[str]) -> Traces:
    """What is there now; `before` are the interfaces that were there before the tests.

    Others may start and stop clusters meanwhile: their names are asked for before the interfaces, and afterwards.
    """
    going, there = interfaces_of_others(), set(os.listdir("/sys/class/net"))
    return Traces(
        processes=tuple(command for command in commands() if "lifecycle-" in command and "pytest" not in command),
        mounts=tuple(line for line in Path("/proc/mounts").read_text().splitlines() if "lifecycle-" in line),
        interfaces=tuple(sorted(there - before - going - interfaces_of_others())),
        namespaces=tuple(str(path) for path in Path("/run/netns").glob("trun-lifecycle-*")),
        cgroups=tuple(str(path) for folder in hierarchies() for path in folder.glob("trainingrun-lifecycle-*")),
        folders=tuple(str(path) for path in (*Path("/run/trainingrun").glob("lifecycle-*"), *state().glob("lifecycle-*"))),
    )


def interfaces_of_others() -> set[str]:
    """Those of clusters that others may start meanwhile."""
    names = {path.name for path in state().iterdir() if path.is_dir()} - set(NAMES)
    return {layout(name, cache=cache_folder(), link=LINKS).host_interface for name in names if "." not in name}


def commands() -> Iterator[str]:
    """Command lines of all processes."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue


def state() -> Path:
    return cache_folder() / "clusters"


@pytest.fixture(scope="module")
def interfaces() -> Iterator[frozenset[str]]:
    """Interfaces before the tests; both clusters are taken down afterwards, whatever happened."""
    yield frozenset(os.listdir("/sys/class/net"))
    for name in NAMES:
        embedded(name).down()


def embedded(name: str) -> EmbeddedCluster:
    return EmbeddedCluster(name=name, cache=cache_folder())


def pids(name: str) -> dict[str, int]:
    """Of the components that run."""
    where = embedded(name).layout()
    running = {each.name: Process(name=each.name, folder=where.state / "pids", logs=where.logs).pid() for each in COMPONENTS}
    return {component: pid for component, pid in running.items() if pid is not None}


def test_up_makes_a_cluster_and_up_again_changes_nothing(interfaces: frozenset[str]) -> None:
    embedded(NAMES[0]).up()
    first = pids(NAMES[0])
    assert len(first) == 8
    embedded(NAMES[0]).up()
    assert pids(NAMES[0]) == first
    assert all(found.startswith("up (pid") for name, found in embedded(NAMES[0]).status() if name in first)


def test_a_component_that_was_killed_is_started_again_and_the_others_stay(interfaces: frozenset[str]) -> None:
    before = pids(NAMES[0])
    os.kill(before["scheduler"], signal.SIGKILL)
    wait_for(
        lambda: pids(NAMES[0]),
        lambda found: "scheduler" not in found,
        what="the scheduler to be dead",
        timeout=10,
        interval=0.02,
    )
    embedded(NAMES[0]).up()
    after = pids(NAMES[0])
    assert after["scheduler"] != before["scheduler"]
    assert {name: pid for name, pid in after.items() if name != "scheduler"} == {
        name: pid for name, pid in before.items() if name != "scheduler"
    }


def test_a_second_cluster_runs_beside_the_first(interfaces: frozenset[str]) -> None:
    embedded(NAMES[1]).up()
    assert len(pids(NAMES[0])) == len(pids(NAMES[1])) == 8
    servers = {dict(embedded(name).status())["server"] for name in NAMES}
    assert len(servers) == 2


def test_down_leaves_nothing_of_one_and_all_of_the_other(interfaces: frozenset[str]) -> None:
    embedded(NAMES[0]).down()
    assert dict(embedded(NAMES[1]).status())["node"] == "ready"
    embedded(NAMES[1]).down()
    assert traces(interfaces) == NOTHING


@pytest.mark.parametrize("seconds", [0.4, 1.5, 3.0])
def test_an_up_that_was_killed_half_way_is_cleaned_up_by_down(interfaces: frozenset[str], seconds: float) -> None:
    command = [sys.executable, "-m", "cluster", "--kind", "embedded", "--name", NAMES[0], "up"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as starting:
        time.sleep(seconds)
        starting.kill()
    embedded(NAMES[0]).down()
    assert traces(interfaces) == NOTHING


def test_a_down_that_was_killed_half_way_leaves_no_half_a_cluster_to_start(
    interfaces: frozenset[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    remove = shutil.rmtree

    def killed(folder: Path, *, ignore_errors: bool = False) -> None:
        contents = folder / "containerd" / "io.containerd.content.v1.content"
        if not contents.exists():
            remove(folder, ignore_errors=ignore_errors)
            return
        remove(contents)  # of the images only what is known about them is left
        raise KeyboardInterrupt

    embedded(NAMES[0]).up()
    with monkeypatch.context() as patched:
        patched.setattr("cluster.embedded.shutil", SimpleNamespace(rmtree=killed))
        with pytest.raises(KeyboardInterrupt):
            embedded(NAMES[0]).down()
    embedded(NAMES[0]).up()
    where = embedded(NAMES[0]).layout()
    assert run(["ctr", "--address", where.socket, "--namespace", "k8s.io", "images", "check"]).count("complete") > 0
    embedded(NAMES[0]).down()
    assert traces(interfaces) == NOTHING


def test_without_root_it_says_so_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(cluster.ClusterError, match="must be run as root"):
        embedded(NAMES[0]).up()
