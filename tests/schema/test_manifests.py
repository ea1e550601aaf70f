"""The manifests on a real API server: accepted, with no more permissions than the code uses."""

import re
from pathlib import Path

import yaml

import images
from tools.kubectl import Kubectl

ROOT = Path(__file__).parent.parent.parent


def test_the_rendered_manifests_are_accepted(crd: Kubectl) -> None:
    crd.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "trainingrun-system"}})
    rendered = images.render(operator="registry.example/team/operator:1", trainer="registry.example/team/trainer:1")
    printed = crd.run("apply", "--dry-run=server", "-f", "-", stdin=rendered)
    assert "deployment.apps/trainingrun-operator" in printed


def test_kustomize_and_our_rendering_agree_on_the_objects(crd: Kubectl) -> None:
    built = crd.run("kustomize", "--load-restrictor=LoadRestrictionsNone", str(ROOT / "manifests" / "base"))
    rendered = images.render(operator="a:1", trainer="b:1")

    def names(text: str) -> set[tuple[str, str]]:
        return {(found["kind"], found["metadata"]["name"]) for found in yaml.safe_load_all(text) if found}

    assert names(built) == names(rendered)


def test_the_operator_may_do_what_its_code_does_and_nothing_to_runs_but_their_status() -> None:
    roles = [found for found in yaml.safe_load_all((ROOT / "manifests/base/rbac.yaml").read_text()) if "rules" in found]
    granted = {
        (resource, verb) for role in roles for rule in role["rules"] for resource in rule["resources"] for verb in rule["verbs"]
    }
    assert {verb for resource, verb in granted if resource == "trainingruns"} == {"get", "list", "watch"}
    assert {verb for resource, verb in granted if resource == "trainingruns/status"} == {"patch"}
    assert not [verb for _, verb in granted if verb == "*"]
    assert not [resource for resource, _ in granted if re.search(r"secrets|exec|\*", resource)]
