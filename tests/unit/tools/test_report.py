"""Fetching a report, against a kubectl that notes what it is asked."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.builders import NOON, a_run, stamp
from tools.kubectl import Kubectl, KubectlError
from tools.report import NoReportError, fetch
from trainingrun.api.base import to_wire

SUCCEEDED: dict[str, Any] = {
    "conditions": [{"type": "Succeeded", "status": "True", "reason": "Succeeded", "lastTransitionTime": stamp(NOON)}],
    "resolved": {"image": "trainer:7", "strategy": "Single", "replicas": 1, "processesPerWorker": 1},
}


@dataclass(frozen=True)
class NotingKubectl(Kubectl):
    """Answers `get` with one object and `exec` with a text; keeps every command and every manifest."""

    found: dict[str, Any] | None = None
    answer: str | KubectlError = "<!DOCTYPE html>"
    commands: list[tuple[str, ...]] = field(default_factory=list)
    applied: list[dict[str, Any]] = field(default_factory=list)

    def get(self, kind: str, name: str) -> dict[str, Any] | None:
        return self.found

    def apply(self, *manifests: dict[str, Any]) -> str:
        self.applied.extend(manifests)
        return ""

    def run(self, *arguments: str, stdin: str | bytes | None = None, timeout: float = 60) -> str:
        self.commands.append(arguments)
        if arguments[0] != "exec":
            return ""
        if isinstance(self.answer, KubectlError):
            raise self.answer
        return self.answer


def a_kubectl(status: dict[str, Any] | None = None, *, answer: str | KubectlError = "page", **changes: Any) -> NotingKubectl:
    found = to_wire(a_run("mnist", status=status, **changes))
    return NotingKubectl(binary="kubectl", kubeconfig=Path("none"), found=found, answer=answer)


def test_the_report_is_read_from_the_runs_folder_with_its_own_image() -> None:
    kubectl = a_kubectl(SUCCEEDED, spec__output={"persistentVolumeClaim": {"claimName": "models", "path": "team/a"}})

    assert fetch(kubectl, "mnist") == "page"
    assert ("exec", "trainingrun-report", "--", "cat", "/volume/team/a/mnist/report.html") in kubectl.commands
    (pod,) = kubectl.applied
    assert pod["spec"]["containers"][0]["image"] == "trainer:7"
    assert pod["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"] == "models"


def test_the_pod_is_deleted_even_when_there_is_no_file() -> None:
    kubectl = a_kubectl(SUCCEEDED, answer=KubectlError("cat: No such file or directory"))

    with pytest.raises(KubectlError, match="No such file"):
        fetch(kubectl, "mnist")
    assert kubectl.commands[-1][:3] == ("delete", "pod", "trainingrun-report")


def test_a_run_that_is_not_there_is_said_to_be_missing() -> None:
    kubectl = NotingKubectl(binary="kubectl", kubeconfig=Path("none"), namespace="team")

    with pytest.raises(NoReportError, match="There is no trainingrun mnist in namespace team"):
        fetch(kubectl, "mnist")


def test_a_run_that_goes_on_has_no_report_yet() -> None:
    kubectl = a_kubectl({"resolved": SUCCEEDED["resolved"]})

    with pytest.raises(NoReportError, match="has not finished"):
        fetch(kubectl, "mnist")
    assert kubectl.applied == []


FAILED = {
    "conditions": [{**SUCCEEDED["conditions"][0], "status": "False", "reason": "NotAccepted"}],
    "resolved": SUCCEEDED["resolved"],
}


def test_a_run_that_failed_before_it_had_a_model_says_why_there_is_no_report() -> None:
    kubectl = a_kubectl({**FAILED, "failure": {"cause": "BadData", "message": "There are no samples."}})

    with pytest.raises(NoReportError, match=r"no report: .* \(BadData\)\. There are no samples\."):
        fetch(kubectl, "mnist")
    assert kubectl.applied == []


def test_what_an_earlier_attempt_failed_with_does_not_matter() -> None:
    kubectl = a_kubectl({**SUCCEEDED, "failure": {"cause": "OOMKilled"}})

    assert fetch(kubectl, "mnist") == "page"


def test_a_run_whose_models_are_not_accepted_has_a_report() -> None:
    artifact = {"name": "model", "uri": "pvc://models/mnist/model", "accepted": False}
    kubectl = a_kubectl({**FAILED, "failure": {"cause": "NotAccepted"}, "result": {"artifacts": [artifact]}})

    assert fetch(kubectl, "mnist") == "page"


STOPPED = {"resolved": None, "trainer": {"image": "trainer:8", "contractVersion": 2}}
"""Of a run whose pods the operator has stopped, as it does with all that fail."""


def test_a_failed_run_whose_pods_were_stopped_has_finished() -> None:
    kubectl = a_kubectl({**FAILED, **STOPPED, "failure": {"cause": "BadData", "message": "There are no samples."}})

    with pytest.raises(NoReportError, match=r"no report: .* \(BadData\)\. There are no samples\."):
        fetch(kubectl, "mnist")


@pytest.mark.parametrize("status", [FAILED, SUCCEEDED], ids=["NotAccepted", "Succeeded"])
def test_a_report_is_read_with_the_image_that_is_remembered(status: dict[str, Any]) -> None:
    kubectl = a_kubectl({**status, **STOPPED, "result": {"artifacts": []}})

    assert fetch(kubectl, "mnist") == "page"
    assert kubectl.applied[0]["spec"]["containers"][0]["image"] == "trainer:8"


def test_a_run_of_which_no_image_is_known_names_the_file() -> None:
    kubectl = a_kubectl({**SUCCEEDED, "resolved": None})

    with pytest.raises(NoReportError, match=r"read mnist/report\.html on the claim "):
        fetch(kubectl, "mnist")


def test_the_report_in_an_object_store_is_named() -> None:
    kubectl = a_kubectl(SUCCEEDED, spec__output={"uri": "s3://models/digits/", "secretName": "store"})

    with pytest.raises(NoReportError, match=r"read s3://models/digits/mnist/report\.html"):
        fetch(kubectl, "mnist")
