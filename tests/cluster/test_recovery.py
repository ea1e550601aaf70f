"""Any component of the embedded cluster can be killed, hang or be forgotten: after the next `up` every part works."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from cluster import health, network
from cluster.components import COMPONENTS, PAUSE_IMAGE
from cluster.embedded import EmbeddedCluster
from cluster.layout import DOMAIN
from cluster.processes import Process, start_time
from images.cache import cache_folder
from tests.patience import patience
from tests.waiting import wait_for
from tools.kubectl import Kubectl

EVERY = [component.name for component in COMPONENTS]

ASK = """
import socket, struct, sys
server, name = sys.argv[1:]
asked = b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + bytes(1) + struct.pack(">HH", 1, 1)
asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asking.settimeout(1)
asking.sendto(struct.pack(">HHHHHH", 1, 0x0100, 1, 0, 0, 0) + asked, (server, 53))
print(socket.inet_ntoa(asking.recv(512)[-4:]))
"""


@pytest.fixture(scope="module")
def running() -> Iterator[EmbeddedCluster]:
    found = EmbeddedCluster(name="recovery", cache=cache_folder())
    try:
        found.up()
        yield found
    finally:
        found.down()


@pytest.mark.parametrize("name", EVERY)
def test_the_cluster_works_after_a_component_was_killed(running: EmbeddedCluster, name: str) -> None:
    before = pid_of(running, name)
    os.kill(before, signal.SIGKILL)
    wait_for(lambda: start_time(before), lambda found: found is None, what=f"{name} to be dead", timeout=10, interval=0.02)

    running.up()

    assert pid_of(running, name) != before
    check_that_it_works(running, namespace=f"killed-{name}")


@pytest.mark.parametrize("name", EVERY)
def test_a_component_that_hangs_is_not_well(running: EmbeddedCluster, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "ASK_SECONDS", 0.5)
    os.kill(pid_of(running, name), signal.SIGSTOP)
    try:
        assert name not in health.answering(COMPONENTS, where=running.layout())
        assert dict(running.status())[name].startswith("silent")
    finally:
        os.kill(pid_of(running, name), signal.SIGCONT)
    wait_for(lambda: answering(running), lambda found: found == set(EVERY), what="all to answer", timeout=30, interval=0.1)


@pytest.mark.parametrize("name", ["containerd", "scheduler"])
def test_a_component_that_hangs_is_started_again(running: EmbeddedCluster, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cluster.waits.HANG_SECONDS", patience(1.0))
    before = {each: pid_of(running, each) for each in EVERY}
    os.kill(before[name], signal.SIGSTOP)

    running.up()

    assert {each for each in EVERY if pid_of(running, each) != before[each]} == {name}
    check_that_it_works(running, namespace=f"hung-{name}")


def test_a_component_that_nobody_remembers_is_ended_before_its_like_is_started(running: EmbeddedCluster) -> None:
    forgotten = pid_of(running, "etcd")
    process(running, "etcd").file.unlink()

    running.up()

    assert start_time(forgotten) is None
    check_that_it_works(running, namespace="forgotten")


def test_down_ends_also_what_nobody_remembers(running: EmbeddedCluster) -> None:
    where = running.layout()
    everything = network.processes(where)
    for name in ("etcd", "proxy"):
        process(running, name).file.unlink()

    running.down()

    assert everything
    assert [pid for pid in everything if start_time(pid) is not None] == []


def process(running: EmbeddedCluster, name: str) -> Process:
    where = running.layout()
    return Process(name=name, folder=where.state / "pids", logs=where.logs)


def pid_of(running: EmbeddedCluster, name: str) -> int:
    found = process(running, name).pid()
    assert found is not None, f"{name} does not run"
    return found


def answering(running: EmbeddedCluster) -> frozenset[str]:
    return health.answering(COMPONENTS, where=running.layout())


def check_that_it_works(running: EmbeddedCluster, *, namespace: str) -> None:
    """A pod runs, which takes all but the proxy and CoreDNS; a new Service is known by name, also at its own address."""
    node = running.layout().node_address
    admin = Kubectl(binary=running.kubectl(), kubeconfig=running.kubeconfig())
    admin.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    kubectl = admin.within(namespace)
    wait_for(lambda: kubectl.get("serviceaccount", "default"), bool, what="a service account", timeout=30, interval=0.1)
    kubectl.apply(a_pod(namespace), *names_service(namespace, node=node))
    wait_for(
        lambda: (kubectl.get("pod", "one") or {}).get("status", {}).get("phase"),
        lambda phase: phase == "Running",
        what="the pod to run",
        timeout=60,
        interval=0.1,
    )
    service = (kubectl.get("service", "names") or {})["spec"]["clusterIP"]
    for server in (running.layout().dns_service, service):
        wait_for(
            partial(address_of, running, f"names.{namespace}.svc.{DOMAIN}", server=server),
            lambda found: found == service,
            what=f"{server} to know the Service",
            timeout=30,
            interval=0.2,
        )


def a_pod(namespace: str) -> dict[str, Any]:
    container = {"name": "pause", "image": PAUSE_IMAGE, "imagePullPolicy": "Never"}
    spec = {"containers": [container], "terminationGracePeriodSeconds": 0}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one", "namespace": namespace}, "spec": spec}


def names_service(namespace: str, *, node: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A Service of its own for CoreDNS."""
    ports = [{"name": "dns", "protocol": "UDP", "port": 53}]
    metadata = {"name": "names", "namespace": namespace}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": ports}}
    endpoints = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {**metadata, "labels": {"kubernetes.io/service-name": "names"}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [node]}],
        "ports": ports,
    }
    return service, endpoints


def address_of(running: EmbeddedCluster, name: str, *, server: str) -> str:
    """What a server of names in the cluster says."""
    command = network.inside(running.layout(), [sys.executable, "-I", "-S", "-c", ASK, server, name])
    done = subprocess.run(command, capture_output=True, text=True, timeout=patience(10), check=False)
    return done.stdout.strip() or done.stderr.strip()[-200:]
