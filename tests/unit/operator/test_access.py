"""Data and output at a uri: what the pod gets, and what the run waits for."""

from typing import Any

import pytest

from tests.builders import CONFIG, NOON, a_claim, a_run, an_active_run, children
from tests.pod_security import violations
from tests.pods import by_name, pod_of, the_container
from trainingrun.api import TrainingRun
from trainingrun_operator.decide import decide
from trainingrun_operator.decision import Decision
from trainingrun_operator.model import Reference
from trainingrun_operator.observe import observe
from trainingrun_operator.policies.access import access_references
from trainingrun_operator.policies.claims import claim_names

SOURCE: dict[str, Any] = {
    "uri": "s3://datasets/digits",
    "secretName": "reader",
    "endpoint": "https://minio.storage:9000",
    "certificateAuthority": {"configMapKeyRef": {"name": "ca", "key": "ca.crt"}},
}
OUTPUT: dict[str, Any] = {
    "uri": "s3://models/digits",
    "secretName": "writer",
    "certificateAuthority": {"secretKeyRef": {"name": "tls", "key": "ca.crt"}},
}
REMOTE: dict[str, Any] = {"spec__data": {"source": SOURCE, "format": "IDX"}, "spec__output": OUTPUT}


def look(run: TrainingRun, *missing: Reference) -> Decision:
    return decide(run, observe(children=(), pods=(), claims={}, missing=missing), now=NOON, config=CONFIG)


def test_credentials_and_certificates_are_files_of_their_own_for_data_and_for_output() -> None:
    pod = pod_of(an_active_run(**REMOTE))
    volumes, mounts = by_name(pod["volumes"]), by_name(the_container(pod)["volumeMounts"])
    bundle = [{"key": "ca.crt", "path": "certificate-authority/bundle.pem"}]
    assert volumes["data-access"]["projected"]["sources"] == [
        {"secret": {"name": "reader", "optional": True}},
        {"configMap": {"name": "ca", "items": bundle, "optional": True}},
    ]
    assert volumes["output-access"]["projected"]["sources"] == [
        {"secret": {"name": "writer", "optional": True}},
        {"secret": {"name": "tls", "items": bundle, "optional": True}},
    ]
    assert mounts["data-access"] == {"mountPath": "/etc/trainingrun-data", "readOnly": True}
    assert mounts["output-access"] == {"mountPath": "/etc/trainingrun-output", "readOnly": True}
    assert not {"data", "output"} & volumes.keys()
    assert mounts.keys() == volumes.keys()
    assert violations(pod) == []


def test_without_secret_and_certificate_there_is_nothing_to_mount() -> None:
    pod = pod_of(an_active_run(spec__output={"uri": "gs://models/digits"}))
    assert by_name(pod["volumes"]).keys() == by_name(the_container(pod)["volumeMounts"]).keys() == {"config", "scratch"}


def test_a_run_without_claims_waits_for_none_and_its_workers_may_be_apart() -> None:
    run = an_active_run(status={"timeline": {}}, **REMOTE)
    assert claim_names(run) == ()
    service = children(run, without=("ConfigMap", "NetworkPolicy", "Job"))
    decision = decide(run, observe(children=service, pods=(), claims={}), now=NOON, config=CONFIG)
    assert "affinity" not in decision.create[-1]["spec"]["template"]["spec"]


def test_every_object_is_asked_for_once() -> None:
    same = {**OUTPUT, "secretName": "reader"}
    assert access_references(a_run(**{**REMOTE, "spec__output": same})) == (
        Reference("Secret", "reader"),
        Reference("Secret", "tls"),
        Reference("ConfigMap", "ca"),
    )
    assert access_references(a_run()) == ()


MISSING = {
    "the data's Secret": (Reference("Secret", "reader"), "no Secret reader (spec.data.source.secretName) in namespace team"),
    "the output's Secret": (Reference("Secret", "writer"), "no Secret writer (spec.output.secretName)"),
    "a ConfigMap": (Reference("ConfigMap", "ca"), "(spec.data.source.certificateAuthority.configMapKeyRef.name)"),
    "a Secret with certificates": (Reference("Secret", "tls"), "(spec.output.certificateAuthority.secretKeyRef.name)"),
}


@pytest.mark.parametrize(("missing", "words"), MISSING.values(), ids=MISSING)
def test_what_is_missing_is_waited_for_and_named(missing: Reference, words: str) -> None:
    decision = look(a_run(**REMOTE), missing)
    condition = decision.status.conditions[0]
    assert (condition.reason, decision.status.attempt) == (f"{missing.kind}NotFound", 0)
    assert words in condition.message


def test_a_running_attempt_is_not_judged_by_what_has_gone_since() -> None:
    decision = look(an_active_run(**REMOTE), Reference("Secret", "reader"))
    assert decision.status.conditions[0].reason != "SecretNotFound"


NETWORK: dict[str, Any] = {"spec__model": {"entrypoint": {"function": "my_models:build", "configMapName": "my-models"}}}


def test_a_network_from_a_config_map_is_mounted_where_the_trainer_looks_for_it() -> None:
    pod = pod_of(an_active_run(**NETWORK))
    assert by_name(pod["volumes"])["code"] == {"configMap": {"name": "my-models"}}
    mounted = {"mountPath": "/etc/trainingrun-code", "readOnly": True}
    assert by_name(the_container(pod)["volumeMounts"])["code"] == mounted
    assert violations(pod) == []


def test_a_network_of_the_image_needs_no_volume_and_is_not_waited_for() -> None:
    run = an_active_run(spec__model={"entrypoint": {"function": "my_models:build"}})
    assert "code" not in by_name(pod_of(run)["volumes"])
    assert access_references(run) == ()


def test_a_missing_config_map_of_the_network_is_waited_for_and_its_path_is_named() -> None:
    run = a_run(**NETWORK)
    assert access_references(run) == (Reference("ConfigMap", "my-models"),)
    claims = {"models": a_claim()}
    missing = (Reference("ConfigMap", "my-models"),)
    decision = decide(run, observe(children=(), pods=(), claims=claims, missing=missing), now=NOON, config=CONFIG)
    condition = decision.status.conditions[0]
    assert (condition.reason, decision.status.attempt) == ("ConfigMapNotFound", 0)
    assert "There is no ConfigMap my-models (spec.model.entrypoint.configMapName) in namespace team" in condition.message
