"""PodGroups against the CRDs of the schedulers that place gangs. `tests/faults/test_gangs.py` runs these schedulers."""

import json
from collections.abc import Iterator

import pytest

from tests.builders import an_active_run
from tests.gangs.schedulers import COSCHEDULING, VOLCANO, Scheduler
from tools.kubectl import Kubectl, KubectlError
from trainingrun_operator.children.gang import pod_group
from trainingrun_operator.config import GangScheduler
from trainingrun_operator.model import Manifest

SCHEDULERS: dict[GangScheduler, Scheduler] = {GangScheduler.COSCHEDULING: COSCHEDULING, GangScheduler.VOLCANO: VOLCANO}


@pytest.fixture(scope="module", params=SCHEDULERS)
def kind(request: pytest.FixtureRequest, kubectl: Kubectl) -> Iterator[GangScheduler]:
    """A scheduler whose CRDs the cluster has; it does not run."""
    with SCHEDULERS[request.param].known(kubectl):
        yield request.param


def ours(kind: GangScheduler) -> Manifest:
    run = an_active_run(workers=3)
    assert run.status.resolved is not None
    return pod_group(run, attempt=1, resolved=run.status.resolved, scheduler=kind)


def create(kubectl: Kubectl, manifest: Manifest) -> None:
    unowned = {**manifest, "metadata": {"name": manifest["metadata"]["name"], "labels": manifest["metadata"]["labels"]}}
    kubectl.run("create", "--dry-run=server", "--validate=strict", "-f", "-", stdin=json.dumps(unowned))


def test_the_api_server_takes_our_pod_group(kubectl: Kubectl, kind: GangScheduler) -> None:
    create(kubectl, ours(kind))


def test_it_would_not_take_a_field_that_it_does_not_have(kubectl: Kubectl, kind: GangScheduler) -> None:
    with pytest.raises(KubectlError, match=r'unknown field "spec\.minCount"'):
        create(kubectl, {**ours(kind), "spec": {"minCount": 3}})
