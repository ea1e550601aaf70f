"""What the objects of an attempt must say so that a gang can meet, fail and be read, and be told from a stranger's."""

from typing import Any

from tests.builders import CONFIG, a_claim, an_active_run
from tests.pods import by_name, pod_of, the_container
from trainingrun.api import Resolved, TrainingRun
from trainingrun.contract import DATA_MOUNT, OUTPUT_MOUNT
from trainingrun_operator.children import config_map, job, network_policy, rendezvous_service
from trainingrun_operator.observe import observe

Raw = dict[str, Any]


def a_job(run: TrainingRun) -> Raw:
    return job(run, attempt=1, resolved=resolved(run), same_node=False, config=CONFIG)


def resolved(run: TrainingRun) -> Resolved:
    assert run.status.resolved is not None
    return run.status.resolved


def test_the_first_worker_is_found_before_it_is_ready() -> None:
    spec = rendezvous_service(an_active_run(), attempt=1, cluster_ip=None)["spec"]
    assert spec["publishNotReadyAddresses"] is True
    assert spec["selector"]["batch.kubernetes.io/job-completion-index"] == "0"


def test_no_pod_is_replaced_and_none_is_taken_away_when_another_fails() -> None:
    run = an_active_run(workers=3)
    spec = a_job(run)["spec"]
    assert (spec["completionMode"], spec["completions"], spec["parallelism"]) == ("Indexed", 3, 3)
    assert (spec["backoffLimitPerIndex"], spec["maxFailedIndexes"]) == (0, 3)
    assert spec["podReplacementPolicy"] == "Failed"
    assert pod_of(run)["restartPolicy"] == "Never"


def test_every_child_is_known_as_the_runs_own_and_goes_with_it() -> None:
    run = an_active_run()
    made = [
        rendezvous_service(run, attempt=1, cluster_ip=None),
        config_map(run, attempt=1, resolved=resolved(run)),
        network_policy(run, attempt=1, config=CONFIG),
        a_job(run),
    ]
    observed = observe(children=made, pods=(), claims={"models": a_claim()})
    assert {child.owner_uid for child in observed.children} == {run.metadata.uid}
    assert {child.attempt for child in observed.children} == {1}


def test_data_is_read_and_output_is_written() -> None:
    run = an_active_run(spec__data__source={"persistentVolumeClaim": {"claimName": "digits"}})
    pod = pod_of(run)
    claims = {volume["name"]: volume["persistentVolumeClaim"] for volume in pod["volumes"] if "persistentVolumeClaim" in volume}
    assert claims == {"data": {"claimName": "digits", "readOnly": True}, "output": {"claimName": "models"}}
    mounts = by_name(the_container(pod)["volumeMounts"])
    assert mounts["data"] == {"mountPath": DATA_MOUNT, "readOnly": True}
    assert mounts["output"] == {"mountPath": OUTPUT_MOUNT}
