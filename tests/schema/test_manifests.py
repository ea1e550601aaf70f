"""The manifests on a real API server: accepted, with no more permissions than the code uses."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import images
from tests.manifests import a_manifest
from tests.waiting import wait_for
from tools.kubectl import Kubectl, KubectlError

ROOT = Path(__file__).parent.parent.parent


def test_the_rendered_manifests_are_accepted(crd: Kubectl) -> None:
    crd.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "trainingrun-system"}})
    named = images.names(registry="registry.example/team", tag="1", accelerated=["trainer-gpu", "trainer-tpu"])
    rendered = images.render(named, kubectl=crd.binary)
    printed = crd.run("apply", "--dry-run=server", "-f", "-", stdin=rendered)
    assert "deployment.apps/trainingrun-operator" in printed
    assert ":latest" not in rendered


def test_the_operator_may_do_what_its_code_does_and_nothing_to_runs_but_their_status() -> None:
    roles = [found for found in yaml.safe_load_all((ROOT / "manifests/base/rbac.yaml").read_text()) if "rules" in found]
    granted = {
        (resource, verb) for role in roles for rule in role["rules"] for resource in rule["resources"] for verb in rule["verbs"]
    }
    assert {verb for resource, verb in granted if resource == "trainingruns"} == {"get", "list", "watch"}
    assert {verb for resource, verb in granted if resource == "trainingruns/status"} == {"patch"}
    assert {verb for resource, verb in granted if resource == "trainingpresets"} == {"get"}
    assert not [verb for _, verb in granted if verb == "*"]
    assert not [resource for resource, _ in granted if re.search(r"secrets|exec|\*", resource)]


ROLES = {"viewer": "view", "editor": "edit", "owner": "admin"}
"""Users of the tests, and the role of Kubernetes' own that each has in the namespace."""

READING = {"get", "list", "watch"}
WRITING = {"create", "update", "patch", "delete", "deletecollection"}


@pytest.fixture(scope="module")
def people(kubectl: Kubectl) -> Kubectl:
    """A namespace where each user has one role, once our roles are part of them."""
    kubectl.run("apply", "-f", str(ROOT / "manifests/base/roles.yaml"))
    kubectl.apply(*(_binding(user, role) for user, role in ROLES.items()))
    wait_for(
        lambda: [user for user in ROLES if not verbs(kubectl, user, "trainingruns.trainingrun.dev")],
        lambda without: not without,
        what="our roles to be part of Kubernetes' own",
        timeout=30,
        interval=0.2,
    )
    return kubectl


def _binding(user: str, role: str) -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": user},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
    }


def verbs(kubectl: Kubectl, user: str, resource: str) -> set[str]:
    """What the API server would let the user do with a resource of ours."""
    listed = kubectl.run("auth", "can-i", "--list", "--as", user)
    rows = [line for line in listed.splitlines() if line.split()[0] == resource]
    return {verb for row in rows for verb in row.rpartition("[")[2].rstrip("] ").split()}


@pytest.mark.parametrize(
    ("user", "allowed"), [("viewer", READING), ("editor", READING | WRITING), ("owner", READING | WRITING), ("nobody", set())]
)
def test_a_role_of_kubernetes_own_says_what_one_may_do_with_runs(people: Kubectl, user: str, allowed: set[str]) -> None:
    assert verbs(people, user, "trainingruns.trainingrun.dev") == allowed


@pytest.mark.parametrize("user", ROLES)
def test_a_status_is_read_by_people_and_written_by_none(people: Kubectl, user: str) -> None:
    assert verbs(people, user, "trainingruns.trainingrun.dev/status") == {"get"}


def test_an_editor_starts_a_run_and_cannot_say_that_it_succeeded(people: Kubectl) -> None:
    people.run("create", "-f", "-", "--as", "editor", stdin=json.dumps(a_manifest("honest")))
    with pytest.raises(KubectlError, match=r'cannot patch resource "trainingruns/status"'):
        people.run(
            *("patch", "trainingrun", "honest", "--subresource=status", "--type=merge", "--as", "editor"),
            *("--patch", '{"status": {"attempt": 7}}'),
        )
