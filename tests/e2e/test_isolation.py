"""What workers may connect to, under a network plugin that enforces their NetworkPolicies."""

from pathlib import Path
from typing import Any

import pytest

from cluster.embedded import EmbeddedCluster
from tests.e2e.conftest import SMALL, Playground
from tests.e2e.names import A_NAME, another_name_server, asks
from tests.e2e.told import told
from tests.policies.enforcer import enforcing
from tests.waiting import wait_for
from trainingrun.api import TrainingRun
from trainingrun.contract import PROGRESS_PORT

pytestmark = pytest.mark.long  # the plugin takes minutes to build

ALONE = {"replicas": 2, "resources": SMALL, "network": {"egress": "None"}}
LONG = {"epochs": 120}
"""A minute, of which the first half passes before anything is enforced."""
STRANGERS_PORT = 8000
_CONNECT = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), 3).close()
    print("yes")
except OSError as problem:
    print(type(problem).__name__)
"""

_RESOLVE = "import socket, sys; print(socket.getaddrinfo(sys.argv[1], 443)[0][4][0])"


@pytest.fixture
def cluster(playground: Playground) -> EmbeddedCluster:
    """The plugin is a process of the machine that the node is."""
    backend = playground.installation.cluster
    if not isinstance(backend, EmbeddedCluster):
        pytest.skip("only the embedded cluster's node is this machine")  # elsewhere its rules would be ours to remove
    return backend


def reaches(playground: Playground, pod: str, host: str, port: int) -> bool:
    """Whether a pod can open a connection."""
    return playground.kubectl.run("exec", pod, "--", "python3", "-c", _CONNECT, host, str(port)).strip() == "yes"


def trains_after(run: TrainingRun, epoch: int) -> bool:
    """Whether the operator knows of a later epoch from the worker, which it asks, and not yet from how the run has ended."""
    return run.status.checkpoint is not None and run.status.checkpoint.epoch > epoch and not run.status.is_finished


def address(playground: Playground, pod: str) -> str:
    """Of a pod."""
    found = playground.kubectl.get("pod", pod)
    assert found is not None
    return str(found["status"]["podIP"])


def test_a_stranger_reaches_no_worker_and_no_worker_a_stranger_while_the_gang_trains_on(
    playground: Playground, cluster: EmbeddedCluster, tmp_path: Path
) -> None:
    playground.kubectl.apply(a_stranger(image=playground.installation.trainer_image))
    playground.kubectl.run("wait", "--for=condition=Ready", "pod/stranger", "--timeout=60s", timeout=70)
    playground.start("guarded", spec__training=LONG, spec__workers=ALONE)
    playground.wait_for_epoch("guarded", 1)
    worker = playground.pod("guarded", worker=0)
    inwards = ("stranger", address(playground, worker), PROGRESS_PORT)
    outwards = (worker, address(playground, "stranger"), STRANGERS_PORT)
    api = (worker, cluster.layout().api_service, 443)
    assert [reaches(playground, *way) for way in (inwards, outwards, api)] == [True] * 3, "nobody enforces anything yet"
    with enforcing(cluster, folder=tmp_path):
        wait_for(lambda: reaches(playground, *inwards), lambda open_: not open_, what="strangers to be kept out", timeout=60)
        assert [reaches(playground, *way) for way in (outwards, api)] == [False, False]
        seen = playground.get("guarded").status.checkpoint
        assert seen is not None
        playground.wait("guarded", "seen to train on", lambda run: trains_after(run, seen.epoch))
        finished = playground.wait_until_finished("guarded")
    assert finished.status.result is not None, finished.status.failure
    assert (finished.status.attempt, finished.status.restarts) == (1, 0)


@pytest.mark.parametrize("transport", ["Gloo", "MPI"])
def test_a_gang_meets_and_trains_under_its_policy(
    playground: Playground, cluster: EmbeddedCluster, tmp_path: Path, transport: str
) -> None:
    name = f"under-{transport.lower()}"
    with enforcing(cluster, folder=tmp_path):
        playground.start(name, spec__workers=ALONE, spec__strategy={"transport": transport})
        finished = playground.wait_until_finished(name)
    assert finished.status.result is not None, finished.status.failure
    assert finished.status.attempt == 1


def test_a_gang_without_a_way_out_asks_for_names_at_the_name_servers_of_the_cluster_only(
    playground: Playground, cluster: EmbeddedCluster, tmp_path: Path
) -> None:
    """CoreDNS is a process of the node here, and no pod that the operator would know by a label: the setting has to name it."""
    where = cluster.layout()
    servers, others = where.dns_service, str(where.pod_networks[0][1])
    network = {"network": {"egress": "Cluster"}}
    with another_name_server(where, address=others, folder=tmp_path):
        playground.play("unnamed", epochs=None, further=network)
        playground.wait_for_epoch("unnamed", 1)
        unnamed = playground.pod("unnamed", worker=0)
        with told(playground, NAME_SERVERS=", ".join(where.node_addresses)):
            playground.play("named", epochs=None, further=network)
            playground.wait_for_epoch("named", 1)
            named = playground.pod("named", worker=0)
            answers = {(pod, server): asks(playground, pod, server) for pod in (unnamed, named) for server in (servers, others)}
            assert all(len(each) == 2 for each in answers.values()), f"nobody enforces anything yet: {answers}"
            with enforcing(cluster, folder=tmp_path):
                wait_for(
                    lambda: asks(playground, named, others), lambda heard: not heard, what="others to be silent", timeout=60
                )
                assert asks(playground, named, servers) == {"udp": where.api_service, "tcp": where.api_service}
                assert asks(playground, unnamed, servers) == asks(playground, unnamed, others) == {}
                assert (
                    playground.kubectl.run("exec", named, "--", "python3", "-c", _RESOLVE, A_NAME).strip() == where.api_service
                )
        for name in ("unnamed", "named"):
            playground.kubectl.delete("trainingrun", name)


def a_stranger(*, image: str) -> dict[str, Any]:
    """A pod called `stranger` that answers on a port, under Pod Security `restricted`."""
    container = {
        "name": "stranger",
        "image": image,
        "command": ["python3", "-m", "http.server", str(STRANGERS_PORT), "--directory", "/tmp"],
        "readinessProbe": {"tcpSocket": {"port": STRANGERS_PORT}, "periodSeconds": 1},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    security = {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "stranger"},
        "spec": {"securityContext": security, "containers": [container], "terminationGracePeriodSeconds": 0},
    }
