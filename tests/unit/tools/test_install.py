"""What tests change of an installation: the operator's environment, and how long kubectl may take. Nothing else."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

import images
from images.recipe import ROOT
from tools.install import changed
from tools.kubectl import Kubectl

MANIFESTS = images.render({})


def deployments(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [document for document in documents if document["kind"] == "Deployment"]


def test_variables_are_added_to_the_operators_deployment_and_nothing_else_is_changed() -> None:
    documents = list(yaml.safe_load_all(changed(MANIFESTS, environment={"RESYNC_SECONDS": "8"}, patience=2)))
    (container,) = deployments(documents)[0]["spec"]["template"]["spec"]["containers"]
    assert container["env"].pop() == {"name": "RESYNC_SECONDS", "value": "8"}
    assert container["readinessProbe"].pop("timeoutSeconds") == 2
    assert container["livenessProbe"]["timeoutSeconds"] == 10
    container["livenessProbe"]["timeoutSeconds"] = 5
    assert documents == list(yaml.safe_load_all(MANIFESTS))


def test_without_changes_the_manifests_are_as_they_are_shipped() -> None:
    assert changed(MANIFESTS, environment={}, patience=1) == MANIFESTS


@pytest.mark.parametrize(("patience", "own", "kubectls"), [(1.0, 70, "--timeout=60s"), (2.5, 175, "--timeout=150s")])
def test_patience_stretches_every_deadline(monkeypatch: pytest.MonkeyPatch, patience: float, own: float, kubectls: str) -> None:
    seen: dict[str, Any] = {}

    def run(command: list[str], **options: Any) -> "subprocess.CompletedProcess[bytes]":
        seen.update(options, command=command)
        return subprocess.CompletedProcess(command, 0, b"", b"")

    monkeypatch.setattr(subprocess, "run", run)
    Kubectl(binary="kubectl", kubeconfig=Path("none"), patience=patience).run("wait", "pod/x", "--timeout=60s", timeout=70)
    assert seen["timeout"] == own
    assert seen["command"][-2:] == ["pod/x", kubectls]


def test_the_operator_runs_as_the_user_of_its_image_or_one_that_the_cluster_gives_it() -> None:
    (deployment,) = deployments(list(yaml.safe_load_all(MANIFESTS)))
    pod = deployment["spec"]["template"]["spec"]
    contexts = [pod["securityContext"], *(container["securityContext"] for container in pod["containers"])]
    assert not {"runAsUser", "runAsGroup", "fsGroup"} & {field for context in contexts for field in context}
    assert pod["securityContext"]["runAsNonRoot"]
    users = re.findall(r"^USER (.*)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert set(users) == {"1000:1000"}, "by its name nobody could tell a user from root"
