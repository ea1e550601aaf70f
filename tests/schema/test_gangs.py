"""The PodGroup of the Coscheduling plugin against the plugin's own CRD, whose module Kueue's brings along."""

import json
from collections.abc import Iterator

import pytest

from cluster.binaries import source_of
from tests.builders import an_active_run
from tests.kueue.installation import MODULE
from tools.kubectl import Kubectl, KubectlError
from trainingrun_operator.children.gang import pod_group
from trainingrun_operator.model import GangScheduler, Manifest

CRD = "config/crd/bases/scheduling.x-k8s.io_podgroups.yaml"


@pytest.fixture(scope="module")
def plugin(kubectl: Kubectl) -> Iterator[Kubectl]:
    """A cluster that has the CRD; no scheduler runs."""
    crd = str(source_of("sigs.k8s.io/scheduler-plugins", module=MODULE) / CRD)
    kubectl.run("apply", "--server-side", "-f", crd)
    kubectl.run("wait", "--for=create", "--timeout=30s", "apiservice/v1alpha1.scheduling.x-k8s.io")
    yield kubectl
    kubectl.run("delete", "-f", crd, "--timeout=60s", timeout=70)


def ours() -> Manifest:
    run = an_active_run(workers=3)
    assert run.status.resolved is not None
    return pod_group(run, attempt=1, resolved=run.status.resolved, scheduler=GangScheduler.COSCHEDULING)


def create(kubectl: Kubectl, manifest: Manifest) -> None:
    unowned = {**manifest, "metadata": {"name": manifest["metadata"]["name"], "labels": manifest["metadata"]["labels"]}}
    kubectl.run("create", "--dry-run=server", "--validate=strict", "-f", "-", stdin=json.dumps(unowned))


def test_the_plugin_takes_our_pod_group(plugin: Kubectl) -> None:
    create(plugin, ours())


def test_it_would_not_take_a_field_that_it_does_not_have(plugin: Kubectl) -> None:
    with pytest.raises(KubectlError, match=r'unknown field "spec\.minCount"'):
        create(plugin, {**ours(), "spec": {"minCount": 3}})
