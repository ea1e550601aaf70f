"""What one does with a run: wait, change, read logs over restarts."""

from typing import Any

import pytest

from tests.unit.client.api_server import Store
from tests.unit.client.runs import a_pod, a_run
from trainingrun.client import NotFoundError, RefusedError, ReportError, RunFailed, TrainingClient, UsageError, WaitTimeoutError
from trainingrun.client.volume_pod import volume_pod

FAILURE = {"cause": "OOMKilled", "message": "Worker 1 used too much.", "hint": "Raise the limit.", "logTail": "step 7\nKilled"}


def test_a_run_of_python_values_is_what_the_api_takes(store: Store, client: TrainingClient) -> None:
    client.train(
        "digits",
        preset="small",
        data={"source": {"builtin": "MNIST10k"}},
        model={"builtin": {"type": "MLP"}},
        training={"batch_size": 32, "optimizer": {"learning_rate": 1e-3}},
        output={"persistent_volume_claim": {"claim_name": "models"}},
        workers={"replicas": 2},
    )
    (sent,) = store.bodies("POST")
    assert sent["spec"]["preset"] == "small"
    assert sent["spec"]["training"]["batchSize"] == 32
    assert float(sent["spec"]["training"]["optimizer"]["learningRate"]) == 0.001
    assert sent["spec"]["output"] == {"persistentVolumeClaim": {"claimName": "models"}}
    (params,) = [params for method, _, params, _ in store.asked if method == "POST"]
    assert params["fieldValidation"] == "Strict", "a field that is misspelt is refused, and not dropped"


def test_waiting_ends_with_the_run(store: Store, client: TrainingClient) -> None:
    store.put("trainingruns", a_run())
    seen: list[str] = []

    def on_update(run: Any) -> None:
        seen.append(run.status.columns.status)
        if len(seen) == 1:
            store.put("trainingruns", a_run(state="Succeeded"))

    assert client.get("digits").wait(on_update=on_update).status.is_finished
    assert seen == ["Running", "Succeeded"]


def test_a_run_that_fails_says_why(store: Store, client: TrainingClient) -> None:
    store.put("trainingruns", a_run(state="Failed", failure=FAILURE))
    with pytest.raises(RunFailed, match=r"digits has failed: OOMKilled\. Worker 1 used too much\. Raise the limit\.") as caught:
        client.get("digits").wait()
    told = caught.value
    assert (told.cause, told.message, told.hint) == ("OOMKilled", FAILURE["message"], FAILURE["hint"])
    assert told.log_tail == FAILURE["logTail"]


def test_a_run_that_is_run_again_has_not_ended(store: Store, client: TrainingClient) -> None:
    store.put("trainingruns", a_run(state="Succeeded"))
    run = client.get("digits")
    run.rerun(training={"epochs": 5, "batch_size": None})
    (patch,) = store.bodies("PATCH")
    assert patch["spec"]["training"] == {"epochs": 5, "batchSize": None}
    assert patch["spec"]["rerun"]
    again = a_run(state="Succeeded")
    again["metadata"]["generation"] = 2
    store.put("trainingruns", again)
    with pytest.raises(WaitTimeoutError, match=r"digits has not ended within 1 s: it is Succeeded"):
        run.wait(timeout=1)


def test_a_run_that_is_deleted_is_not_waited_for(store: Store, client: TrainingClient) -> None:
    store.put("trainingruns", a_run())
    run = client.get("digits")
    with pytest.raises(NotFoundError, match="was deleted while it was watched"):
        run.wait(on_update=lambda _: store.remove("trainingruns", "digits"))


def test_suspend_and_resume(store: Store, client: TrainingClient) -> None:
    store.put("trainingruns", a_run())
    run = client.get("digits")
    assert run.suspend().spec.suspend
    assert not run.resume().spec.suspend


def test_the_manifest_for_git_has_nothing_of_the_server(store: Store, client: TrainingClient) -> None:
    store.put("trainingruns", a_run())
    text = client.get("digits").to_yaml()
    assert "name: digits" in text
    assert not any(word in text for word in ("status", "uid", "resourceVersion", "generation"))


def test_a_log_is_followed_over_a_broken_connection_and_a_restart(store: Store, client: TrainingClient) -> None:
    past = {"attempt": 1, "outcome": "Restarted", "cause": "OOMKilled"}
    store.put("trainingruns", a_run())
    store.put("pods", a_pod(is_waiting=True))
    store.logs["digits-1-0"] = ["one", "two", "three"]
    store.log_cuts["digits-1-0"] = 2
    lines = client.get("digits").logs(follow=True)
    store.put("pods", a_pod())
    assert [next(lines).text for _ in range(3)] == ["one", "two", "three"]
    store.logs["digits-2-0"] = ["four"]
    store.put("pods", a_pod("digits-2-0", attempt=2))
    store.put("trainingruns", a_run(attempt=2, history=[past]))
    note = next(lines)
    assert (note.is_note, note.text) == (True, "--- attempt 2, after OOMKilled ---")
    assert next(lines).text == "four"
    store.put("trainingruns", a_run(state="Succeeded", attempt=2, history=[past]))
    assert list(lines) == []


def test_the_log_of_a_rank_is_its_own_lines(store: Store, client: TrainingClient) -> None:
    resolved = {"image": "trainer:1", "strategy": "Horovod", "replicas": 2, "processesPerWorker": 2}
    store.put("trainingruns", a_run(resolved=resolved))
    store.put("pods", a_pod("digits-1-1", worker=1))
    store.logs["digits-1-1"] = ["[rank 2] a", "[rank 3] b", "agent"]
    run = client.get("digits")
    assert [line.text for line in run.logs(rank=3)] == ["[rank 3] b"]
    with pytest.raises(UsageError, match="no rank 4: its ranks are 0 to 3"):
        run.logs(rank=4)
    with pytest.raises(ReportError, match=r"Worker 0 of digits has no pod.* on the output"):
        list(run.logs())


def test_who_may_not_make_pods_is_told_which_right_is_missing(store: Store, client: TrainingClient) -> None:
    store.denied.add("pods")
    with pytest.raises(ReportError, match=r"you may not create pods, delete pods, create pods/exec in namespace team"):
        volume_pod(client.cluster, claim="models", image="trainer:1").__enter__()


def test_a_refusal_is_the_servers_sentence(store: Store, client: TrainingClient) -> None:
    store.put("trainingruns", a_run())
    with pytest.raises(RefusedError, match="already exists") as caught:
        client.create(a_run())
    assert (caught.value.code, caught.value.reason) == (409, "AlreadyExists")
    with pytest.raises(NotFoundError, match='"other" not found'):
        client.get("other")
