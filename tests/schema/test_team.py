"""`examples/team` on a real API server, where no operator works: what a user of the team may do, and what not."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.patience import patience
from tests.waiting import wait_for
from tools.kubectl import Kubectl, KubectlError

ROOT = Path(__file__).parent.parent.parent
TEAM = ROOT / "examples" / "team"
USER = ("--as", "alice", "--as-group", "vision")
RUN: dict[str, Any] = yaml.safe_load((TEAM / "run.yaml").read_text())


@pytest.fixture(scope="module")
def team(crd: Kubectl) -> Iterator[Kubectl]:
    """kubectl within the namespace of the team, once its policy is in force."""
    crd.run("apply", "-f", str(ROOT / "manifests" / "base" / "roles.yaml"))
    files = ("preset.yaml", "team.yaml", "policy.yaml")
    crd.run("apply", *(word for name in files for word in ("-f", str(TEAM / name))))
    kubectl = crd.within("vision")
    wait_for(
        lambda: _refusal(kubectl, without_preset()),
        lambda words: words is not None,
        what="the policy to be in force",
        timeout=60,
    )
    yield kubectl
    crd.run(
        "delete",
        *(word for name in files for word in ("-f", str(TEAM / name))),
        f"--timeout={patience(90):.0f}s",
        timeout=patience(100),
    )


def without_preset() -> dict[str, Any]:
    spec = {name: value for name, value in RUN["spec"].items() if name != "preset"}
    return {**RUN, "spec": spec}


def _refusal(kubectl: Kubectl, manifest: dict[str, Any]) -> str | None:
    """Why the user may not create this; None when they may."""
    try:
        kubectl.run("create", "--dry-run=server", "-f", "-", *USER, stdin=json.dumps(manifest))
    except KubectlError as refused:
        return str(refused)
    return None


def test_a_user_of_the_team_starts_the_run_of_the_example(team: Kubectl) -> None:
    assert _refusal(team, RUN) is None


def test_nobody_else_does(team: Kubectl) -> None:
    with pytest.raises(KubectlError, match="cannot create resource"):
        team.run("create", "--dry-run=server", "-f", "-", "--as", "bob", stdin=json.dumps(RUN))


@pytest.mark.parametrize("preset", [None, "sales-large"], ids=["no preset", "that of others"])
def test_a_run_has_to_name_a_preset_of_the_team(team: Kubectl, preset: str | None) -> None:
    run = without_preset() if preset is None else {**RUN, "spec": {**RUN["spec"], "preset": preset}}
    words = _refusal(team, run)
    assert words is not None
    assert "spec.preset must name a preset of team vision: `kubectl get trainingpresets -l team=vision` lists them." in words


def test_the_presets_of_the_team_can_be_listed(team: Kubectl) -> None:
    assert "vision-small" in team.run("get", "trainingpresets", "-l", "team=vision", *USER)


MAY_NOT: dict[str, tuple[str, ...]] = {
    "start a pod": ("run", "mine", "--image=busybox"),
    "write a preset": ("create", "-f", str(TEAM / "preset.yaml")),
    "change a preset": ("patch", "tpreset", "vision-small", "--type=merge", "-p", '{"spec": {"limits": null}}'),
    "delete a preset": ("delete", "tpreset", "vision-small"),
    "change the quota": ("delete", "resourcequota", "training"),
    "read Secrets": ("get", "secrets"),
    "use another namespace": ("get", "trainingruns", "--namespace=default"),
}


@pytest.mark.parametrize("command", MAY_NOT.values(), ids=MAY_NOT)
def test_a_user_of_the_team_may_create_runs_and_nothing_else(team: Kubectl, command: tuple[str, ...]) -> None:
    with pytest.raises(KubectlError, match=r"Forbidden|forbidden"):
        team.run(*command, *USER)


@pytest.mark.parametrize("role", ["view", "edit", "admin"])
def test_a_role_within_one_namespace_gives_no_say_about_presets(team: Kubectl, role: str) -> None:
    team.apply(
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": f"local-{role}"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": f"local-{role}"}],
        }
    )
    for verb in ("list", "create"):
        assert not _may(team, verb, user=f"local-{role}")


@pytest.mark.parametrize(("role", "writes"), [("view", False), ("edit", False), ("admin", True)])
def test_presets_are_written_by_administrators_of_the_cluster(team: Kubectl, role: str, writes: bool) -> None:
    name = f"wide-{role}"
    team.apply(
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": name}],
        }
    )
    wait_for(lambda: _may(team, "list", user=name), bool, what="the role to be in force", timeout=30)
    assert (_may(team, "list", user=name), _may(team, "create", user=name)) == (True, writes)
    team.run("delete", "clusterrolebinding", name)


def _may(kubectl: Kubectl, verb: str, *, user: str) -> bool:
    """What the API server would answer about presets."""
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": user, "resourceAttributes": {"group": "trainingrun.dev", "resource": "trainingpresets", "verb": verb}},
    }
    answer = json.loads(kubectl.run("create", "-o", "json", "-f", "-", stdin=json.dumps(review)))
    return bool(answer["status"]["allowed"])


def test_the_example_says_what_the_namespace_needs() -> None:
    kinds = [found["kind"] for found in yaml.safe_load_all((TEAM / "team.yaml").read_text())]
    page = (ROOT / "docs" / "how-to" / "presets.md").read_text()
    table = re.findall(r"^\| ([\w, ]+) \|", page, re.MULTILINE)
    told = {kind for row in table for kind in row.split(", ")}
    assert set(kinds) - {"ServiceAccount"} <= told
