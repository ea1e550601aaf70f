"""Gangs on clusters that have addresses of IPv6 alone, or of both families: the operator, its questions, Gloo and Open MPI."""

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

import pytest

from cluster.embedded import EmbeddedCluster
from cluster.families import IpFamily
from images.cache import cache_folder
from tests.cluster_fixtures import fresh_namespace
from tests.e2e.conftest import BRISK, Playground, make_claim
from tests.patience import patience
from tests.rank import image
from tools.install import OPERATOR_NAMESPACE, install
from trainingrun.api import TrainingRun

pytestmark = pytest.mark.long  # a cluster for each, with an operator and the trainer's image

VERSIONS = {IpFamily.IPV6: [6], IpFamily.DUAL: [4, 6]}


@pytest.fixture(scope="module", params=VERSIONS)
def elsewhere(request: pytest.FixtureRequest) -> Iterator[Playground]:
    """A namespace of a cluster of its own, whatever addresses the others have."""
    family: IpFamily = request.param
    cluster = EmbeddedCluster(name=f"trainingrun-{family}", cache=cache_folder(), family=family)
    cluster.down()
    try:
        installation = install(cluster, settings=BRISK, patience=patience(1))
        for kubectl in fresh_namespace(installation.kubectl, "addresses"):
            playground = Playground(
                namespace="addresses", kubectl=kubectl, installation=installation, played_image=image.load(cluster)
            )
            make_claim(playground, "models")
            yield playground
    finally:
        cluster.down()


def versions(pod: dict[str, Any]) -> list[int]:
    """Of the addresses of a pod, the first of which is what it is called by."""
    addresses = [each["ip"] for each in pod["status"]["podIPs"]]
    assert pod["status"]["podIP"] == addresses[0]
    return [ip_address(address).version for address in addresses]


def expected(playground: Playground) -> list[int]:
    """Versions of the cluster's addresses."""
    cluster = playground.installation.cluster
    assert isinstance(cluster, EmbeddedCluster)
    return VERSIONS[cluster.layout().family]


def test_the_operator_is_asked_whether_it_is_ready_at_the_addresses_of_the_cluster(elsewhere: Playground) -> None:
    operators = elsewhere.kubectl.within(OPERATOR_NAMESPACE).list("pods")
    assert [versions(pod) for pod in operators] == [expected(elsewhere)] * 2
    assert all(each["ready"] for pod in operators for each in pod["status"]["containerStatuses"])


@pytest.mark.parametrize("transport", ["Gloo", "MPI"])
def test_a_gang_meets_trains_and_is_asked_for_its_progress(elsewhere: Playground, transport: str) -> None:
    name = f"over-{transport.lower()}"
    elsewhere.start(name, spec__training={"epochs": 30}, spec__strategy={"transport": transport})
    elsewhere.wait(name, "known to train by what its worker answers", says_where_it_is)
    workers = elsewhere.pods(name)
    assert [versions(pod) for pod in workers] == [expected(elsewhere)] * 2
    services = list(elsewhere.kubectl.list("services", selector=f"trainingrun.dev/run={name}"))
    assert [ip_address(each["spec"]["clusterIP"]).version for each in services] == expected(elsewhere)[:1]
    finished = elsewhere.wait_until_finished(name)
    assert finished.status.result is not None, finished.status.failure
    assert (finished.status.attempt, finished.status.restarts) == (1, 0)


def says_where_it_is(run: TrainingRun) -> bool:
    """Whether the operator has heard of an epoch from a worker, and not from how the run has ended."""
    return run.status.checkpoint is not None and not run.status.is_finished


def test_a_gang_that_has_lost_a_worker_meets_again(elsewhere: Playground) -> None:
    elsewhere.play("again", epochs=None)
    elsewhere.wait_for_epoch("again", 1)
    elsewhere.kill_container(elsewhere.pod("again", worker=1))
    elsewhere.wait_for_second_attempt("again")
    finished = elsewhere.wait_until_finished("again")
    assert finished.status.result is not None, finished.status.failure
