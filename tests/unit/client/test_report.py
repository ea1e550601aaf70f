"""Which file is fetched with which image, and what is said where there is none."""

from typing import Any

import pytest

from tests.builders import NOON, a_run, stamp
from trainingrun.client import ReportError, UsageError
from trainingrun.client.run import known_image, output_folder, refuse_without_report

RESOLVED = {"image": "trainer:7", "strategy": "Single", "replicas": 1, "processesPerWorker": 1}
ENDED = {"type": "Succeeded", "status": "True", "reason": "Succeeded", "lastTransitionTime": stamp(NOON)}
SUCCEEDED: dict[str, Any] = {"conditions": [ENDED], "resolved": RESOLVED}
FAILED: dict[str, Any] = {**SUCCEEDED, "conditions": [{**ENDED, "status": "False", "reason": "NotAccepted"}]}
STOPPED = {"resolved": None, "trainer": {"image": "trainer:8", "contractVersion": 2}}
"""Of a run whose pods the operator has stopped, as it does with all that fail."""


def test_the_output_is_the_runs_folder_of_its_claim() -> None:
    run = a_run("mnist", spec__output={"persistentVolumeClaim": {"claimName": "models", "path": "team/a"}})
    assert str(output_folder(run)) == "team/a/mnist"


def test_what_is_in_an_object_store_is_named() -> None:
    run = a_run("mnist", status=SUCCEEDED, spec__output={"uri": "s3://models/digits/", "secretName": "store"})
    with pytest.raises(ReportError, match=r"read s3://models/digits/mnist/ with the tools of the store"):
        refuse_without_report(run)


@pytest.mark.parametrize("status", [SUCCEEDED, {**FAILED, "result": {"artifacts": []}, "failure": {"cause": "NotAccepted"}}])
def test_a_run_that_has_a_model_has_a_report(status: dict[str, Any]) -> None:
    refuse_without_report(a_run("mnist", status=status))


def test_a_run_that_goes_on_has_no_report_yet() -> None:
    with pytest.raises(ReportError, match="has not finished"):
        refuse_without_report(a_run("mnist", status={"resolved": RESOLVED}))


@pytest.mark.parametrize("stopped", [{}, STOPPED])
def test_a_run_that_failed_before_it_had_a_model_says_why_there_is_no_report(stopped: dict[str, Any]) -> None:
    failure = {"cause": "BadData", "message": "There are no samples."}
    with pytest.raises(ReportError, match=r"no report: .* \(BadData\)\. There are no samples\."):
        refuse_without_report(a_run("mnist", status={**FAILED, **stopped, "failure": failure}))


def test_files_are_read_with_the_image_that_the_run_had() -> None:
    assert known_image(a_run("mnist", status=SUCCEEDED)) == "trainer:7"
    assert known_image(a_run("mnist", status={**FAILED, **STOPPED})) == "trainer:8"
    with pytest.raises(UsageError, match=r"read mnist on the claim models, or say --image"):
        known_image(a_run("mnist"))
