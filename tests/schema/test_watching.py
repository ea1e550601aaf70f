"""What people ask a real API server when an alert sends them to a runbook, and what they see of Events. No operator works here.

The commands run as they stand in the pages. There are no pods of an operator, so loops over them go round not once.
"""

import asyncio
import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.manifests import a_manifest
from tests.patience import patience
from tests.unit.operator.test_kube import Server
from tools.install import OPERATOR_NAMESPACE
from tools.kubectl import Kubectl
from trainingrun.contract import Cause
from trainingrun_operator.decision import Event, EventReason, EventType
from trainingrun_operator.model import Reference

ROOT = Path(__file__).parent.parent.parent
RUNBOOKS = sorted((ROOT / "docs" / "runbooks").glob("TrainingRun*.md"))
RECORDED = ROOT / "manifests/gitops/argo-cd/resource_customizations/trainingrun.dev/TrainingRun/testdata/no-claim-stalled.yaml"
RUN = "digits"
LEASE = "trainingrun-operator"
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def stalled(kubectl: Kubectl) -> Iterator[Kubectl]:
    """kubectl where a run is stalled, and an operator's namespace with its Lease."""
    lease = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": LEASE, "namespace": OPERATOR_NAMESPACE},
    }
    system = kubectl.within(OPERATOR_NAMESPACE)
    system.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": OPERATOR_NAMESPACE}}, lease)
    kubectl.apply(a_manifest(RUN))
    status = yaml.safe_load(RECORDED.read_text())["status"]
    kubectl.run("patch", "trainingrun", RUN, "--subresource=status", "--type=merge", "--patch", json.dumps({"status": status}))
    yield kubectl
    system.delete("lease", LEASE)


def shell(kubectl: Kubectl, script: str) -> "subprocess.CompletedProcess[str]":
    """A script in bash, as somebody with this kubeconfig and these variables would run it."""
    known = {"KUBECONFIG": str(kubectl.kubeconfig), "NAMESPACE": kubectl.namespace or "default", "RUN": RUN}
    path = f"{Path(kubectl.binary).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", script],
        env={**os.environ, **known, "PATH": path},
        capture_output=True,
        text=True,
        timeout=patience(60),
        check=False,
    )


@pytest.mark.parametrize("page", RUNBOOKS, ids=lambda page: page.stem)
def test_the_commands_of_a_runbook_run_as_they_stand_there(stalled: Kubectl, page: Path) -> None:
    blocks = BLOCK.findall(page.read_text())
    assert blocks, "a runbook without a command helps nobody"
    done = shell(stalled, "\n".join(blocks))
    assert done.returncode == 0, done.stderr
    assert "error" not in done.stderr.lower()


def test_the_runbook_of_stalled_runs_shows_why(stalled: Kubectl) -> None:
    page = next(page for page in RUNBOOKS if page.stem == "TrainingRunStalled")
    said = shell(stalled, BLOCK.findall(page.read_text())[0]).stdout
    assert f"{RUN}: ClaimNotFound: There is no PersistentVolumeClaim" in said


def test_a_command_that_is_wrong_is_noticed(stalled: Kubectl) -> None:
    assert shell(stalled, "kubectl -n $NAMESPACE get trainingruns --no-such-option").returncode != 0


EVENTS = {
    "related": Event(Cause.UNSCHEDULABLE, "Worker 0 fits no node.", EventType.WARNING, Reference("Pod", "digits-1-0")),
    "preset": Event("PresetNotFound", "There is no preset.", related=Reference("TrainingPreset", "small")),
    "long": Event(EventReason.FAILED, "é" * 3000, EventType.WARNING),
    "plain": Event(EventReason.SUSPENDED, "The run is suspended."),
}


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_is_taken_and_shown(stalled: Kubectl, name: str) -> None:
    event = EVENTS[name]
    run = stalled.get("trainingrun", RUN)
    assert run is not None
    path, body = asyncio.run(_sent(run, event))
    made = json.loads(stalled.run("create", "--raw", path, "-f", "-", stdin=json.dumps(body)))
    found = json.loads(stalled.run("get", "events.v1.events.k8s.io", made["metadata"]["name"], "-o", "json"))
    assert (found["reason"], found["action"]) == (event.reason, event.action)
    assert found.get("related", {}).get("name") == (event.related.name if event.related is not None else None)
    assert event.message[:20] in stalled.run("describe", "trainingrun", RUN)


async def _sent(run: dict[str, Any], event: Event) -> tuple[str, dict[str, Any]]:
    """What the operator sends."""
    server = Server()
    await server.cluster().emit(run, event)
    ((_, path, _),) = server.asked
    return path, server.sent[0]
