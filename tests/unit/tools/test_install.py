"""What tests change of an installation: the operator's environment, and how long kubectl may take. Nothing else."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

import images
from tools.install import with_environment
from tools.kubectl import Kubectl

MANIFESTS = images.render({})


def deployments(manifests: str) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(manifests) if document["kind"] == "Deployment"]


def test_variables_are_added_to_the_operators_deployment_and_nothing_else_is_changed() -> None:
    changed = with_environment(MANIFESTS, {"RESYNC_SECONDS": "8"})
    (deployment,) = deployments(changed)
    env = deployment["spec"]["template"]["spec"]["containers"][0]["env"]
    assert env.pop() == {"name": "RESYNC_SECONDS", "value": "8"}
    others = [document for document in yaml.safe_load_all(changed) if document["kind"] != "Deployment"]
    assert [*deployments(MANIFESTS)] == [deployment]
    assert [document for document in yaml.safe_load_all(MANIFESTS) if document["kind"] != "Deployment"] == others


def test_without_variables_the_manifests_are_as_they_are_shipped() -> None:
    assert with_environment(MANIFESTS, {}) == MANIFESTS


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
