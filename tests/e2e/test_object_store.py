"""Runs whose data and output are on an object store, with a private certificate."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster import network
from cluster.embedded import EmbeddedCluster
from tests.e2e.conftest import DIGITS, Playground
from tests.object_store.server import ACCESS_KEY, SECRET_KEY, ObjectStore, build, make_certificate, object_store
from tools.install import Installation

PORT = 9443
IDX = {"images": "t10k-images-idx3-ubyte.gz", "labels": "t10k-labels-idx1-ubyte.gz"}


@pytest.fixture(scope="module")
def certificate(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The certificate of a server on the cluster's node."""
    if not isinstance(installation.cluster, EmbeddedCluster):
        pytest.skip("only in the embedded cluster's network a program of this machine can be reached by pods")
    address = installation.cluster.layout().node_address
    return make_certificate(tmp_path_factory.mktemp("tls") / "server.pem", address=address)


@pytest.fixture(scope="module")
def store(
    installation: Installation, certificate: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[ObjectStore]:
    """A store on the cluster's node, with the digits in a bucket."""
    assert isinstance(installation.cluster, EmbeddedCluster)
    layout = installation.cluster.layout()
    capture = request.config.pluginmanager.getplugin("capturemanager")
    assert capture is not None
    with capture.global_and_fixture_disabled():
        program = build()
    folder, address = tmp_path_factory.mktemp("store"), f"{layout.node_address}:{PORT}"
    inside = network.inside(layout, [])
    with object_store(program, folder=folder, address=address, certificate=certificate, prefix=inside) as running:
        for name in IDX.values():
            (running.bucket("datasets") / name).write_bytes((DIGITS / name).read_bytes())
        running.bucket("models")
        yield running


def blocks(endpoint: str, *, secret: str) -> dict[str, Any]:
    """The data and output of a run on the store at this URL."""
    access = {
        "endpoint": endpoint,
        "secretName": secret,
        "certificateAuthority": {"configMapKeyRef": {"name": "ca", "key": "ca.crt"}},
    }
    return {
        "spec__data": {"source": {"uri": "s3://datasets", **access}, "format": "IDX", "idx": IDX},
        "spec__output": {"uri": "s3://models/team", **access},
    }


@pytest.fixture(scope="module")
def keys(playground: Playground) -> str:
    """Name of the Secret that opens the store."""
    data = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
    playground.kubectl.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}, "stringData": data})
    return "keys"


def authority(certificate: Path) -> dict[str, Any]:
    """The ConfigMap that `blocks` names."""
    data = {"ca.crt": certificate.read_text()}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "ca"}, "data": data}


def test_a_run_waits_for_its_certificate_and_then_trains_from_store_to_store(
    playground: Playground, store: ObjectStore, certificate: Path, keys: str
) -> None:
    playground.start("remote", **blocks(store.endpoint, secret=keys))
    waiting = playground.wait("remote", "waiting", lambda run: bool(run.status.conditions))
    assert waiting.status.conditions[0].reason == "ConfigMapNotFound"
    playground.kubectl.apply(authority(certificate))

    finished = playground.wait_until_finished("remote")
    assert finished.status.result is not None, finished.status.failure
    assert [artifact.uri for artifact in finished.status.result.artifacts] == ["s3://models/team/remote/model"]
    run = store.folder / "models" / "team" / "remote"
    assert {".owner.json", "logs", "metrics.jsonl", "model", "report.html", "result.json", "tensorboard"} == {
        path.name for path in run.iterdir()
    }
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2]
    assert sorted(path.name for path in (run / "logs" / "1").iterdir()) == ["0.log", "1.log"]


def test_a_secret_that_the_operator_may_not_look_for_is_named_by_the_trainer(
    playground: Playground, store: ObjectStore
) -> None:
    playground.start("keyless", **blocks(store.endpoint, secret="missing"), spec__recovery={"maximumRestarts": 0})
    failed = playground.wait_until_finished("keyless")
    assert failed.status.failure is not None
    assert failed.status.failure.cause == "OutputFailed"
    assert "The Secret missing (spec.output.secretName) does not exist, or is empty" in failed.status.failure.message


@pytest.fixture
def breaking(playground: Playground, store: ObjectStore) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """URL of a way to the store that breaks after half a megabyte, and its process, which has ended then."""
    cluster = playground.installation.cluster
    assert isinstance(cluster, EmbeddedCluster)
    layout = cluster.layout()
    proxy = [sys.executable, "-m", "tests.object_store.cutting", store.address, "500000", layout.node_address]
    with subprocess.Popen(network.inside(layout, proxy), stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"https://{process.stdout.readline().strip()}", process
        finally:
            process.terminate()


def test_a_store_that_dies_in_mid_read_is_named_within_seconds(
    playground: Playground, breaking: tuple[str, subprocess.Popen[str]], certificate: Path, keys: str
) -> None:
    endpoint, process = breaking
    playground.kubectl.apply(authority(certificate))
    data = blocks(endpoint, secret=keys)["spec__data"]
    playground.start("cut", spec__data=data, spec__recovery={"maximumRestarts": 0})
    failure = playground.wait_until_finished("cut").status.failure
    assert failure is not None
    assert failure.cause == "DataUnavailable", failure
    assert "s3://datasets (spec.data.source.uri) did not answer for" in failure.message
    assert process.poll() == 0, "it was reached, and has cut"
