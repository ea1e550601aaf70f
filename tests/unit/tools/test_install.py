"""What tests change of an installation: how long probes and kubectl may take. Nothing else."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from images.recipe import ROOT
from tools.install import probes
from tools.kubectl import Kubectl

(DEPLOYMENT,) = (
    document
    for document in yaml.safe_load_all((ROOT / "manifests" / "base" / "deployment.yaml").read_text())
    if document["kind"] == "Deployment"
)


def test_probes_take_as_many_times_as_long_as_the_machine() -> None:
    (container,) = DEPLOYMENT["spec"]["template"]["spec"]["containers"]
    (patch,) = probes(2)
    for change in json.loads(patch["patch"]):
        *_, probe, field = change["path"].split("/")
        assert change["value"] == 2 * container[probe].get(field, 1)
    assert probes(1) == []


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
    pod = DEPLOYMENT["spec"]["template"]["spec"]
    contexts = [pod["securityContext"], *(container["securityContext"] for container in pod["containers"])]
    assert not {"runAsUser", "runAsGroup", "fsGroup"} & {field for context in contexts for field in context}
    assert pod["securityContext"]["runAsNonRoot"]
    users = re.findall(r"^USER (.*)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert set(users) == {"1000:1000"}, "by its name nobody could tell a user from root"
