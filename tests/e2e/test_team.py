"""`examples/team`: a namespace for self-service, used by one who may create TrainingRuns and nothing else."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.conftest import Playground
from tests.waiting import wait_for
from tools.install import Installation
from tools.kubectl import KubectlError

TEAM = Path(__file__).parent.parent.parent / "examples" / "team"
FILES = [word for name in ("preset.yaml", "team.yaml", "policy.yaml") for word in ("-f", str(TEAM / name))]
USER = ("--as", "alice", "--as-group", "vision")
RUN: dict[str, Any] = yaml.safe_load((TEAM / "run.yaml").read_text())


@pytest.fixture(scope="module")
def team(installation: Installation, played_image: str) -> Iterator[Playground]:
    """The namespace of the team; its objects are the administrator's, the runs in it are the user's."""
    admin = installation.kubectl
    admin.delete("namespace", "vision")  # that of an earlier session, which may have been interrupted
    admin.run("apply", *FILES)
    installation.cluster.volume(claim="models", namespace="vision")
    yield Playground(namespace="vision", kubectl=admin.within("vision"), installation=installation, played_image=played_image)
    admin.within("vision").run("delete", "trainingruns", "--all", timeout=120)
    admin.run("delete", *FILES, "--timeout=90s", timeout=100)


def create(team: Playground, name: str, **spec: Any) -> None:
    """Create a run like that of the example, as the user; its ranks play."""
    played = {**RUN["spec"], "image": team.played_image, **spec}
    manifest = {**RUN, "metadata": {**RUN["metadata"], "name": name}, "spec": played}
    team.kubectl.run("create", "-f", "-", *USER, stdin=json.dumps(manifest))


def reason(team: Playground, name: str) -> tuple[str, str]:
    """Reason and message of a run that waits, as the user reads them."""
    path = (
        'jsonpath={.status.conditions[?(@.type=="Reconciling")].reason}|{.status.conditions[?(@.type=="Reconciling")].message}'
    )
    found, _, message = team.kubectl.run("get", "trun", name, "-o", path, *USER).partition("|")
    return found, message


def test_the_run_of_the_example_trains_with_what_its_preset_gives(team: Playground) -> None:
    create(team, "digits", training={"epochs": 12})
    team.wait("digits", "training", lambda run: run.status.stage == "Training")
    (first, _) = team.pods("digits")
    container = first["spec"]["containers"][0]
    assert container["resources"] == {"requests": {"cpu": "50m", "memory": "600Mi"}, "limits": {"memory": "2Gi"}}
    assert {"name": "TEAM", "value": "vision"} in container["env"]
    assert first["spec"]["serviceAccountName"] == "trainer"
    quota = team.kubectl.get("resourcequota", "training")
    assert quota is not None
    assert quota["status"]["used"]["pods"] == "2"

    finished = team.wait_until_finished("digits")
    assert finished.status.result is not None, finished.status.failure
    assert finished.status.resolved is not None
    assert finished.status.resolved.preset is not None
    assert finished.status.resolved.preset.name == "vision-small"


def test_a_run_that_oversteps_is_told_where_and_starts_once_it_is_mended(team: Playground) -> None:
    create(team, "large", workers={"replicas": 3, "serviceAccountName": "default"})
    found, message = wait_for(
        lambda: reason(team, "large"), lambda said: said[0] != "", what="the run to be looked at", timeout=30
    )
    assert found == "PresetOverstepped"
    assert "spec.workers.serviceAccountName is default, but TrainingPreset vision-small has trainer" in message
    assert "spec.workers.replicas is 3, but TrainingPreset vision-small allows at most 2 (limits.mostWorkers)" in message
    assert team.pods("large") == []

    mended = {"spec": {"rerun": "smaller", "workers": {"replicas": 1, "serviceAccountName": None}, "training": {"epochs": 1}}}
    team.kubectl.run("patch", "trun", "large", "--type=merge", "--patch", json.dumps(mended), *USER)
    finished = team.wait_until_finished("large")
    assert finished.status.result is not None, finished.status.failure


def test_a_preset_that_changes_in_mid_run_touches_nothing(team: Playground) -> None:
    create(team, "steady", workers={"replicas": 1}, training={"epochs": 10_000})
    before = team.wait("steady", "training", lambda run: run.status.stage == "Training").status.resolved
    (pod,) = team.pods("steady")
    change = {"spec": {"defaults": {"image": "nowhere.example/none:1"}, "limits": {"longestDeadlineSeconds": 1}}}
    team.kubectl.run("patch", "tpreset", "vision-small", "--type=merge", "--patch", json.dumps(change))
    team.kubectl.run("delete", "networkpolicy", "steady-1")
    team.wait_for_epoch("steady", 2)
    wait_for(
        lambda: team.kubectl.get("networkpolicy", "steady-1"),
        lambda made: made is not None,
        what="it to be made anew",
        timeout=30,
    )
    status = team.get("steady").status
    assert (status.attempt, status.resolved) == (1, before)
    (same,) = team.pods("steady")
    assert same["metadata"]["uid"] == pod["metadata"]["uid"]
    team.kubectl.run("delete", "trun", "steady", "--timeout=60s", *USER)
    team.kubectl.run("apply", "-f", str(TEAM / "preset.yaml"))


@pytest.mark.parametrize(
    "command",
    [("run", "mine", "--image=busybox"), ("delete", "tpreset", "vision-small"), ("get", "secrets")],
    ids=["a pod", "a preset", "secrets"],
)
def test_the_user_may_do_nothing_else(team: Playground, command: tuple[str, ...]) -> None:
    with pytest.raises(KubectlError, match="orbidden"):
        team.kubectl.run(*command, *USER)
