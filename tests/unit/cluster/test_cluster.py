"""The pure parts of the cluster tool, and the sentences of its failures."""

import re
import shutil
import subprocess
import sys
import tarfile
from collections import namedtuple
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from cluster import ClusterError, binaries, connect, packages
from cluster.components import COMPONENTS
from cluster.families import LINKS
from cluster.images import reference_of, single_program_image
from cluster.layout import free_link, layout
from cluster.processes import Process
from tests.waiting import wait_for

ROOT = Path(__file__).parent.parent.parent.parent


def test_two_names_share_nothing() -> None:
    one, other = (layout(name, cache=Path("/c"), link=free_link(name, used=())) for name in ("one", "other"))
    for field in ("namespace", "host_interface", "node_address", "state", "run", "cgroup", "node_name"):
        assert getattr(one, field) != getattr(other, field)


@pytest.mark.parametrize("name", ["", "1st", "Upper", "a_b", "a" * 31, "../up"])
def test_a_name_that_cannot_be_used_is_refused(name: str) -> None:
    with pytest.raises(ClusterError, match="cannot be used"):
        layout(name, cache=Path("/c"), link=LINKS)


def test_a_link_in_use_is_passed_over_and_none_left_is_a_sentence() -> None:
    first = free_link("demo", used=())
    assert not free_link("demo", used=[first]).overlaps(first)
    with pytest.raises(ClusterError, match="No network of four addresses is free"):
        free_link("demo", used=[IPv4Network("198.16.0.0/12")])


def test_names_of_interfaces_and_sockets_stay_short_enough() -> None:
    longest = layout("a" * 30, cache=Path("/c"), link=free_link("a", used=()))
    assert len(longest.host_interface) <= 15
    assert len(f"{longest.socket}.ttrpc") < 107


def test_a_full_disk_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10, 9, 1_000_000))
    with pytest.raises(ClusterError, match=r"too full for building etcd: 0\.0 GB are free, 8 GB are needed"):
        binaries.check_space(tmp_path, needed=8_000_000_000, purpose="building etcd")


def test_a_go_module_is_in_the_folder_it_names_and_else_below_ours(tmp_path: Path) -> None:
    assert binaries.GoModule("else", (), source=tmp_path).folder == tmp_path
    assert (binaries.KWOK.folder / "go.mod").exists()


def test_the_cluster_does_not_build_what_only_tests_need() -> None:
    assert binaries.KWOK not in binaries.MODULES


def test_a_package_that_cannot_be_installed_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise ClusterError("E: Unable to locate package")

    monkeypatch.setattr(packages, "run", refuse)
    with pytest.raises(ClusterError, match="The packages no-such could not be installed"):
        packages.ensure({"no-such": "/no/such/program-of-ours"})


def test_a_system_without_apt_is_told_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(ClusterError, match="needs no-such, and this system has no apt-get"):
        packages.ensure({"no-such": "/no/such/program-of-ours"})


def test_a_kind_of_cluster_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ClusterError, match="CLUSTER is embedded, kind or existing"):
        connect(kind="minikube")


def test_a_pid_that_belongs_to_somebody_else_is_not_ours(tmp_path: Path) -> None:
    process = Process(name="p", folder=tmp_path, logs=tmp_path)
    (tmp_path / "p.pid").write_text("1 12345")
    assert process.pid() is None
    process.stop()


def test_a_process_is_found_again_by_another_and_ended(tmp_path: Path) -> None:
    Process(name="p", folder=tmp_path, logs=tmp_path).start(["sleep", "60"])
    found = Process(name="p", folder=tmp_path, logs=tmp_path)
    assert found.pid() is not None
    found.stop()
    assert found.pid() is None


START_AND_DIE = """
import os, subprocess, sys
from pathlib import Path
from cluster.processes import Process
start = subprocess.Popen
def start_and_die(*words, **options):
    start(*words, **options)
    os._exit(9)
subprocess.Popen = start_and_die
Process(name="p", folder=Path(sys.argv[1]), logs=Path(sys.argv[1])).start(["sleep", "600"])
"""


def test_a_process_is_found_also_when_who_started_it_was_killed_at_that_moment(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", START_AND_DIE, tmp_path], cwd=ROOT, check=False)
    process = Process(name="p", folder=tmp_path, logs=tmp_path)
    wait_for(process.pid, lambda found: found is not None, what="the process to be remembered", timeout=5, interval=0.01)
    process.stop()
    assert process.pid() is None


def test_coredns_is_built_with_every_plugin_that_the_cluster_configures() -> None:
    (coredns,) = (component for component in COMPONENTS if component.name == "coredns")
    text = coredns.files(layout("demo", cache=Path("/c"), link=free_link("demo", used=())))["Corefile"]
    configured = {
        line.split()[0] for line in text.splitlines()[1:-1] if line.startswith("    ") and not line.startswith("     ")
    }
    built = set(re.findall(r"coredns/plugin/(\w+)", (binaries.SOURCES / "coredns" / "main.go").read_text()))
    assert configured - {"}"} <= built


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("pause:1", "docker.io/library/pause:1"),
        ("team/pause:1", "docker.io/team/pause:1"),
        ("registry.example/pause:1", "registry.example/pause:1"),
        ("localhost/pause:1", "localhost/pause:1"),
        ("127.0.0.1:5000/pause:1", "127.0.0.1:5000/pause:1"),
    ],
)
def test_an_image_is_known_by_the_full_name_in_its_archive(tmp_path: Path, name: str, reference: str) -> None:
    (tmp_path / "pause").write_bytes(b"program")
    (tmp_path / "pause.tar").write_bytes(single_program_image(tmp_path / "pause", reference=name))
    assert reference_of(tmp_path / "pause.tar") == reference


def test_a_file_that_is_no_image_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="There is no image archive"):
        reference_of(tmp_path / "none.tar")
    (tmp_path / "text.tar").write_text("no tar")
    with pytest.raises(ClusterError, match="is no Docker archive with one named image"):
        reference_of(tmp_path / "text.tar")
    with tarfile.open(tmp_path / "empty.tar", "w"):
        pass
    with pytest.raises(ClusterError, match="is no Docker archive with one named image"):
        reference_of(tmp_path / "empty.tar")
