"""Runs that are run again, cleaned up, created again under the same name, or hang. The ranks play (`tests.rank`)."""

import signal
from pathlib import Path
from typing import Any

from tests.e2e.conftest import SHORTEST, Playground, fetch
from tests.waiting import wait_for


def live_attempts(playground: Playground, name: str) -> set[str]:
    """Attempts of which a pod may still do something."""
    return {pod["metadata"]["labels"]["trainingrun.dev/attempt"] for pod in playground.live_pods(name)}


def test_a_finished_run_is_run_again_with_changes_and_only_then(playground: Playground) -> None:
    playground.play("again", workers=1, epochs=2)
    first = playground.wait_until_finished("again")
    playground.play("again", workers=1, epochs=2)
    assert playground.get("again").status == first.status
    playground.play("again", workers=1, epochs=3, spec__rerun="longer")
    second = playground.wait("again", "finished again", lambda run: run.status.round == 2 and run.status.is_finished)
    assert second.status.result is not None
    assert second.status.result.epochs == 3
    assert [(past.round, past.attempt, past.outcome) for past in second.status.history] == [
        (1, 1, "Succeeded"),
        (2, 2, "Succeeded"),
    ]


def test_a_finished_run_stays_finished_when_its_objects_are_deleted(playground: Playground) -> None:
    playground.play("kept", workers=1, epochs=1)
    before = playground.wait_until_finished("kept")
    playground.kubectl.run("delete", "job", "kept-1", "--timeout=60s")
    playground.play("other", workers=1, epochs=1)
    playground.wait_until_finished("other")  # the operator has looked at everything by then
    assert playground.get("kept").status == before.status
    assert playground.pods("kept") == []


def test_a_running_attempt_is_gone_before_the_next_round_starts_from_the_beginning(playground: Playground) -> None:
    playground.play("anew", epochs=None)
    playground.wait_for_epoch("anew", 2)
    playground.play("anew", epochs=3, spec__rerun="shorter")
    seen: set[frozenset[str]] = set()

    def finished() -> bool:
        seen.add(frozenset(live_attempts(playground, "anew")))
        run = playground.get("anew")
        return run.status.round == 2 and run.status.is_finished

    wait_for(finished, bool, what="the second round to finish", timeout=180)
    assert all(len(attempts) <= 1 for attempts in seen), seen
    assert playground.epochs_logged(playground.pod("anew", worker=0)) == [1, 2, 3]
    assert playground.get("anew").status.history[0].outcome == "Replaced"


def test_the_objects_of_a_finished_run_go_and_its_result_stays(playground: Playground) -> None:
    playground.play("tidy", workers=1, spec__childrenTTLSecondsAfterFinished=2)
    before = playground.wait_until_finished("tidy")
    playground.wait_until_nothing_is_left("tidy")
    playground.play("tidy", workers=1, spec__childrenTTLSecondsAfterFinished=2)
    after = playground.get("tidy")
    assert after.status == before.status
    assert after.status.result is not None


def test_a_run_that_is_created_again_under_its_name_begins_anew(playground: Playground) -> None:
    """Also where a pod still refers to the old run's configuration, which the kubelet then keeps for that name."""
    playground.play("reborn", epochs=None)
    playground.wait_for_epoch("reborn", 2)
    (config,) = playground.kubectl.list("configmaps", selector="trainingrun.dev/run=reborn")
    playground.kubectl.apply(a_pod_that_mounts(config["metadata"]["name"], image=playground.played_image))
    playground.kubectl.run("wait", "--for=condition=Ready", "pod/witness", "--timeout=60s", timeout=70)
    playground.kubectl.run("delete", "trun", "reborn", "--wait=true", "--cascade=background")
    # An account keeps whole seconds, and on a slow machine the operator sees a short training when it is nearly over.
    playground.play("reborn", epochs=3, variables={"PLAYED_EPOCH_SECONDS": "2"})
    finished = playground.wait_until_finished("reborn")
    assert finished.status.result is not None
    assert playground.epochs_logged(playground.pod("reborn", worker=0)) == [1, 2, 3]
    playground.kubectl.run("delete", "pod", "witness", "--wait=false")


def test_the_accounts_of_a_finished_run_add_up_to_its_life(playground: Playground) -> None:
    run = playground.get("reborn")
    ledger, created = run.status.ledger, run.metadata.creation_timestamp
    assert ledger is not None
    assert created is not None
    assert ledger.account == ""
    succeeded = run.status.condition("Succeeded")
    assert succeeded is not None
    life = (succeeded.last_transition_time - created).total_seconds()
    accounts = {name: value for name, value in ledger.model_dump().items() if name.endswith("_seconds")}
    assert sum(accounts.values()) == life
    assert accounts["training_seconds"] > 0


def test_a_rank_that_stands_still_is_a_hang_and_its_peers_stacks_are_kept(playground: Playground, tmp_path: Path) -> None:
    playground.play("stuck", epochs=None, grace_seconds=4, spec__recovery={"hangTimeoutSeconds": SHORTEST})
    playground.wait_for_epoch("stuck", 2)
    playground.signal_ranks(playground.pod("stuck", worker=1), signal.SIGSTOP)
    restarted = playground.wait_for_second_attempt("stuck")
    failure = restarted.status.failure
    assert failure is not None
    assert failure.cause == "Hang"
    assert playground.wait_until_finished("stuck").status.result is not None
    stacks = fetch(playground, "stuck", "logs/1/0.stacks.txt", into=tmp_path).read_text()
    assert "most recent call first" in stacks


def a_pod_that_mounts(config_map: str, *, image: str) -> dict[str, Any]:
    """A pod called `witness` that does nothing, under Pod Security `restricted`."""
    restricted = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    container = {
        "name": "witness",
        "image": image,
        "command": ["python3", "-c", "import signal; signal.sigwait([signal.SIGTERM])"],
        "securityContext": restricted,
        "volumeMounts": [{"name": "config", "mountPath": "/config"}],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "witness"},
        "spec": {
            "securityContext": {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [container],
            "volumes": [{"name": "config", "configMap": {"name": config_map}}],
        },
    }
