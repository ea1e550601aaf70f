"""What kind is told to do, by a program of its name that writes down what it is told and remembers its clusters."""

import os
from pathlib import Path

import pytest

from cluster import ClusterError, binaries
from cluster.images import single_program_image
from cluster.kind import KindCluster, node_image
from cluster.kind.engine import Installed, choose
from cluster.kind.podman import Podman

KIND = """#!/bin/sh
echo "$*" >> {folder}/told
case "$1 $2" in
  "create cluster") touch {folder}/cluster-$4 ;;
  "delete cluster") rm -f {folder}/cluster-$4 ;;
  "export logs") mkdir -p $3/node && echo hello > $3/node/kubelet.log ;;
  "get clusters") cd {folder} && ls cluster-* 2> /dev/null | sed s/cluster-// ;;
esac
"""


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that kind writes its arguments to."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, text in {"kind": KIND.format(folder=tmp_path), "kubectl": "#!/bin/sh\n"}.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setenv("KIND_EXPERIMENTAL_PROVIDER", "docker")
    return tmp_path / "told"


def changes(told: Path) -> list[str]:
    """What kind was told, questions aside, by its first two words."""
    lines = told.read_text().splitlines() if told.exists() else []
    return [" ".join(line.split()[:2]) for line in lines if not line.startswith("get")]


def test_a_cluster_is_created_once_and_leaves_the_users_kubeconfig_alone(tmp_path: Path, told: Path) -> None:
    cluster = KindCluster(name="one", cache=tmp_path)
    cluster.up()
    cluster.kubeconfig().touch()
    cluster.up()
    cluster.down()
    assert changes(told) == ["create cluster", "delete cluster"]
    named = [line for line in told.read_text().splitlines() if not line.startswith("get")]
    assert all(f"--name one --kubeconfig {cluster.kubeconfig()}" in line for line in named)
    assert not cluster.kubeconfig().exists()


def test_a_cluster_whose_creation_was_interrupted_is_made_anew(tmp_path: Path, told: Path) -> None:
    (tmp_path / "cluster-one").touch()
    KindCluster(name="one", cache=tmp_path).up()
    assert changes(told) == ["delete cluster", "create cluster"]


def test_a_cluster_that_does_not_answer_is_left_as_it_is_and_a_sentence(tmp_path: Path, told: Path) -> None:
    cluster = KindCluster(name="one", cache=tmp_path)
    cluster.up()
    cluster.kubeconfig().touch()
    (tmp_path / "bin" / "kubectl").write_text("#!/bin/sh\necho refused >&2; exit 1\n")
    with pytest.raises(ClusterError, match=r"The kind cluster one exists and does not answer .*refused.*`make cluster-down`"):
        cluster.up()
    assert changes(told) == ["create cluster"]


def test_an_archive_is_loaded_again_only_when_it_or_the_cluster_is_another(tmp_path: Path, told: Path) -> None:
    cluster, archive = KindCluster(name="one", cache=tmp_path), tmp_path / "image.tar"
    archive.write_bytes(single_program_image(tmp_path / "bin" / "kind", reference="example.org/program:1"))
    cluster.up()
    for _ in range(2):
        cluster.load(archive)
    assert changes(told).count("load image-archive") == 1

    archive.write_bytes(single_program_image(tmp_path / "bin" / "kubectl", reference="example.org/program:1"))
    cluster.load(archive)
    assert changes(told).count("load image-archive") == 2

    cluster.down()
    cluster.up()
    cluster.load(archive)
    assert changes(told).count("load image-archive") == 3


def test_logs_are_copied_out_of_the_nodes_and_go_with_the_cluster(tmp_path: Path, told: Path) -> None:
    cluster = KindCluster(name="one", cache=tmp_path)
    cluster.up()
    log = cluster.logs("kubelet")
    assert log.read_text() == "hello\n"
    with pytest.raises(ClusterError, match=r"one has no log of 'etcd': there are kubelet"):
        cluster.logs("etcd")
    cluster.down()
    assert not log.exists()


def test_the_users_engine_is_used_where_there_is_one(told: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(choose(tmp_path), Installed)
    monkeypatch.delenv("KIND_EXPERIMENTAL_PROVIDER")
    docker = tmp_path / "bin" / "docker"
    for answer, engine in ((0, Installed), (1, Podman)):
        docker.write_text(f"#!/bin/sh\nexit {answer}\n")
        docker.chmod(0o755)
        assert isinstance(choose(tmp_path), engine)
    assert not told.exists()


def test_a_missing_program_is_a_sentence(told: Path, tmp_path: Path) -> None:
    (tmp_path / "bin" / "kind").unlink()
    with pytest.raises(ClusterError, match=r"CLUSTER=kind needs kind, not found on PATH"):
        KindCluster(name="one", cache=tmp_path).up()


def test_podman_needs_root_and_says_what_else_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(ClusterError, match=r"must be run as root: start Docker, use sudo"):
        Podman(cache=tmp_path).prepare()


def test_a_machine_that_never_had_a_cluster_is_left_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.delenv("KIND_EXPERIMENTAL_PROVIDER", raising=False)
    monkeypatch.setattr("cluster.kind.engine.answers", lambda command: False)
    cluster = KindCluster(name="one", cache=tmp_path / "cache")
    assert cluster.status() == [("cluster", "down: `make cluster-up` makes it")]
    cluster.down()
    assert not (tmp_path / "cache").exists()


def test_the_images_of_the_node_are_those_that_its_cluster_asks_for() -> None:
    asked = node_image.cluster_configuration()
    modules = {module.name: module for module in binaries.MODULES}
    for name in ("etcd", "coredns"):
        version = next(
            line.split()[-1]
            for line in (modules[name].folder / "go.mod").read_text().splitlines()
            if line.startswith("require ")
        )
        assert f'{{imageTag: "{version.removeprefix("v") if name == "etcd" else version}"}}' in asked
