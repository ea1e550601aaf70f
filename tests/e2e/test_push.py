"""`make images push`: both images in a registry, and manifests that name them."""

import json
import os
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster.packages import ensure
from tests.patience import patience
from tests.waiting import wait_for
from tools.install import Installation

ROOT = Path(__file__).parent.parent.parent
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    """The address of an empty registry on loopback."""
    ensure({"docker-registry": "/usr/bin/docker-registry"})
    with socket.create_server(("127.0.0.1", 0)) as probe:
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    storage = {"filesystem": {"rootdirectory": str(tmp_path / "store")}}
    config = {"version": "0.1", "storage": storage, "http": {"addr": address}, "log": {"level": "error"}}
    (tmp_path / "registry.json").write_text(json.dumps(config))
    command = ["docker-registry", "serve", str(tmp_path / "registry.json")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as serving:
        try:
            wait_for(lambda: answers(address), bool, what="the registry to answer", timeout=20, interval=0.1)
            yield address
        finally:
            serving.terminate()


def answers(address: str) -> bool:
    try:
        urllib.request.urlopen(f"http://{address}/v2/", timeout=patience(2)).close()
    except OSError:
        return False
    return True


def fetch(address: str, path: str) -> Any:
    request = urllib.request.Request(f"http://{address}/v2/{path}", headers={"Accept": MANIFEST})
    with urllib.request.urlopen(request, timeout=patience(10)) as reply:
        return json.loads(reply.read())


def test_both_images_are_pushed_and_the_manifests_name_them(installation: Installation, registry: str, tmp_path: Path) -> None:
    rendered = tmp_path / "install.yaml"
    command = ["make", "push", f"REGISTRY={registry}/team", "TAG=0.1", f"INSTALL_MANIFEST={rendered}"]
    path = f"{Path(installation.kubectl.binary).parent}:{os.environ['PATH']}"
    subprocess.run(command, cwd=ROOT, env={**os.environ, "PATH": path}, check=True, timeout=patience(540))
    for name in ("operator", "trainer"):
        manifest = fetch(registry, f"team/trainingrun-{name}/manifests/0.1")
        config = fetch(registry, f"team/trainingrun-{name}/blobs/{manifest['config']['digest']}")
        assert config["config"]["Labels"]["org.opencontainers.image.title"] == f"trainingrun-{name}"
        assert f"{registry}/team/trainingrun-{name}:0.1" in rendered.read_text()
    printed = installation.kubectl.run("apply", "--dry-run=server", "-f", str(rendered))
    assert "deployment.apps/trainingrun-operator configured" in printed
