"""What the operator writes, seen on the wire: of a TrainingRun only its status, and nothing when nothing has changed."""

import asyncio
import json
from typing import Any

import pytest

from tests.faults.lab import Lab
from tests.faults.oracle import Flat, Outcome, flat
from tests.faults.stage import WORKERS, Stage
from tests.faults.sweep import references
from tests.faults.trial import Trial, run_all
from tests.faults.workloads import WORKLOADS, Workload, running
from tests.manifests import a_manifest
from tools.kubectl import Kubectl

APPLIES = 20


@pytest.mark.parametrize("workload", WORKLOADS.values(), ids=WORKLOADS)
async def test_of_a_run_the_operator_writes_the_status_and_nothing_else(lab: Lab, workload: Workload) -> None:
    writes = [write for outcome in await references(lab, workload) for write in outcome.writes]
    about_runs = [write for write in writes if "/trainingruns" in write.path]
    assert about_runs, "the operator has written nothing, so that this says nothing"
    for write in about_runs:
        assert (write.verb, write.path.rpartition("/")[2]) == ("PATCH", "status")
        assert write.body.keys() == {"apiVersion", "kind", "metadata", "status"}
        assert write.body["metadata"].keys() == {"name", "namespace", "uid", "resourceVersion"}


@pytest.mark.parametrize("workload", WORKLOADS.values(), ids=WORKLOADS)
async def test_no_write_is_forbidden_by_the_shipped_permissions(lab: Lab, workload: Workload) -> None:
    writes = [write for outcome in await references(lab, workload) for write in outcome.writes]
    assert [str(write) for write in writes if write.code == 403] == []


async def test_an_unchanged_manifest_causes_no_write_whoever_applies_it(lab: Lab, admin: Kubectl) -> None:
    async def apply_again_and_again(stage: Stage) -> None:
        await running(stage)
        first = await _children(stage)
        for number in range(APPLIES):
            await asyncio.to_thread(_apply, admin.within(stage.namespace), stage, number)
        assert await _children(stage) == first

    quiet, applied = await run_all(lab, [Trial(running), Trial(apply_again_and_again)])
    assert isinstance(quiet, Outcome), quiet
    assert isinstance(applied, Outcome), applied
    assert applied.changes == quiet.changes
    assert _last_status(applied) == _last_status(quiet)
    written = [json.dumps(write.body["status"], sort_keys=True) for write in applied.counted if write.verb == "PATCH"]
    assert len(written) == len(set(written)), "a status was written that was there already"


def _last_status(outcome: Outcome) -> Flat:
    """What the operator wrote last, without the ledger's whole seconds: rounded moments, which differ between any two runs."""
    status = flat(outcome.counted[-1].body["status"], names=outcome.names)
    return {path: value for path, value in status.items() if not (path.startswith(".ledger.") and path.endswith("Seconds"))}


async def _children(stage: Stage) -> dict[str, list[Any]]:
    """Contents of all children by their UID."""
    return {child["metadata"]["uid"]: [child.get("spec"), child.get("data")] for child in await stage.children()}


def _apply(kubectl: Kubectl, stage: Stage, number: int) -> None:
    """The same spec, applied as kubectl, Argo CD and Flux do, each with marks of its own."""
    manifest = a_manifest(stage.name, spec__workers=WORKERS)
    if number % 3 == 0:
        kubectl.apply(manifest)
        return
    if number % 3 == 1:
        tracking = f"team:trainingrun.dev/TrainingRun:{stage.namespace}/{stage.name}-{number}"
        manifest["metadata"]["annotations"] = {"argocd.argoproj.io/tracking-id": tracking}
    else:
        manifest["metadata"]["labels"] = {"kustomize.toolkit.fluxcd.io/name": f"team-{number}"}
    manager = "argocd-controller" if number % 3 == 1 else "kustomize-controller"
    options = ("--server-side", "--force-conflicts", f"--field-manager={manager}")
    kubectl.run("apply", *options, "-f", "-", stdin=json.dumps(manifest))
