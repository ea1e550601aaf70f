"""The admission that the campaign plays (`tests/crd`), held against a real API server: the same answers, the same defaults.

And the objects that the operator makes of what was admitted: whatever the schema lets through, the API server takes them.
"""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.crd.admission import Crd, RefusedError
from tests.crd.mending import changed
from tests.crd.values import Change, Place
from tests.manifests import a_manifest
from tests.presets import a_preset_manifest
from tests.schema import applying
from tests.schema.test_crd import ACCEPTED, REFUSED
from tests.schema.test_updates import IMMUTABLE, MUTABLE
from tests.simulation.campaign.cluster import Cluster
from tests.simulation.campaign.controllers import RUN
from tools.kubectl import Kubectl
from trainingrun.api import PLURAL, PRESET_PLURAL

RUNS, PRESETS = Crd.of(PLURAL), Crd.of(PRESET_PLURAL)
ROOT, PRESET_ROOT = Place((), RUNS.schema), Place((), PRESETS.schema)
CHANGES = st.lists(ROOT.fields["spec"].changes, min_size=8, max_size=12)
PRESET_CHANGES = st.lists(PRESET_ROOT.fields["spec"].changes, min_size=8, max_size=12)
NAMED_ELSEWHERE = ("serviceAccountName", "priorityClassName", "runtimeClassName")
"""Fields of a pod that name what the test cluster has not."""


def wild(crd: Crd, root: Place, manifest: dict[str, Any], changes: list[Change]) -> Iterator[dict[str, Any]]:
    """The manifest after each change, mended and as it was typed; a change that is refused is undone before the next one."""
    for change in changes:
        mended = changed(crd, root, manifest, [change])
        yield changed(crd, root, manifest, [change], tries=0)
        yield mended
        if answer_here(crd, mended) is not None:
            manifest = mended


def answer_here(crd: Crd, manifest: dict[str, Any]) -> Any:
    """The spec as it would be stored; None: refused."""
    try:
        return crd.admit(manifest)["spec"]
    except RefusedError:
        return None


def answer_there(kubectl: Kubectl, manifest: dict[str, Any]) -> Any:
    """The same of the API server."""
    try:
        return applying.dry_run(kubectl, manifest)["spec"]
    except applying.RefusedError as refused:
        if "namespaces" in str(refused):
            raise  # that is no answer about the object
        return None


@settings(max_examples=15, derandomize=True, deadline=None)
@given(changes=CHANGES)
def test_a_run_is_admitted_as_the_api_server_does(kubectl: Kubectl, changes: list[Change]) -> None:
    for manifest in wild(RUNS, ROOT, a_manifest(), changes):
        assert answer_here(RUNS, manifest) == answer_there(kubectl, manifest)


@settings(max_examples=5, derandomize=True, deadline=None)
@given(changes=PRESET_CHANGES)
def test_a_preset_is_admitted_as_the_api_server_does(kubectl: Kubectl, changes: list[Change]) -> None:
    for manifest in wild(PRESETS, PRESET_ROOT, a_preset_manifest(), changes):
        assert answer_here(PRESETS, manifest) == answer_there(kubectl, manifest)


@pytest.mark.parametrize("changes", ACCEPTED.values(), ids=ACCEPTED)
def test_what_the_api_server_accepts_is_accepted(changes: dict[str, Any]) -> None:
    RUNS.admit(a_manifest(**changes))


@pytest.mark.parametrize("changes", [changes for changes, _ in REFUSED.values()], ids=REFUSED)
def test_what_the_api_server_refuses_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(RefusedError):
        RUNS.admit(a_manifest(**changes))


@settings(max_examples=30, derandomize=True, deadline=None)
@given(changes=CHANGES, workers=st.integers(1, 3))
def test_the_api_server_takes_all_that_is_made_of_what_was_admitted(
    kubectl: Kubectl, changes: list[Change], workers: int
) -> None:
    for child in children_of(changes, workers=workers):
        child["metadata"]["namespace"] = kubectl.namespace
        applying.dry_run(kubectl, child)


def children_of(changes: list[Change], *, workers: int) -> Iterator[dict[str, Any]]:
    """What the operator makes of the run after all changes that are admitted, and a pod of its Job."""
    cluster = Cluster(scheduler=None)
    manifest = a_manifest(RUN, spec__workers={"replicas": workers})
    for change in changes:
        tried = changed(RUNS, ROOT, manifest, [change])
        manifest = tried if answer_here(RUNS, tried) is not None else manifest
    manifest["spec"].pop("suspend", None)
    cluster.put(manifest)
    cluster.settle_all()
    for found in cluster.objects.values():
        child = {name: copy.deepcopy(part) for name, part in found.items() if name != "status"}
        for made_there in ("uid", "creationTimestamp"):
            child["metadata"].pop(made_there)
        if child.get("spec", {}).get("clusterIP") not in (None, "None"):
            child["spec"].pop("clusterIP")  # the world gives the same to all
        yield child
        if child["kind"] == "Job":
            yield pod_of(child)


def pod_of(job: dict[str, Any]) -> dict[str, Any]:
    """A pod of the Job, as its controller makes it. The namespace is under Pod Security `restricted`."""
    template = copy.deepcopy(job["spec"]["template"])
    for name in NAMED_ELSEWHERE:
        template["spec"].pop(name, None)
    return {"apiVersion": "v1", "kind": "Pod", **template, "metadata": {**template["metadata"], "name": "a-pod"}}


@pytest.mark.parametrize(("block", "value"), IMMUTABLE.items(), ids=IMMUTABLE)
def test_a_block_changes_only_together_with_a_new_rerun(block: str, value: Any) -> None:
    stored = RUNS.admit(a_manifest())
    with pytest.raises(RefusedError, match="oldSelf"):
        RUNS.admit(a_manifest(**{f"spec__{block}": value}), old=stored)
    RUNS.admit(a_manifest(**{f"spec__{block}": value}, spec__rerun="2"), old=stored)


@pytest.mark.parametrize("changes", MUTABLE.values(), ids=MUTABLE)
def test_what_is_mutable_changes_alone(changes: dict[str, Any]) -> None:
    RUNS.admit(a_manifest(**changes), old=RUNS.admit(a_manifest()))
