"""The differential oracle: a run that has been through much ends as one does that was created like that in the first place.

Two runs are compared where nothing is left to do: the one with a history, after the world has become well, and its twin, which
was created in a world of its own with the same objects of users and the spec as it is now.

- While the run has not ended: its state, its conditions (status and reason), what applies to its attempt, and its objects.
  Not what is history: attempts and restarts, times, failures, progress with its stage, choices and checkpoints.
- When it has been run again, also all else that a round has: failure, restarts, result, search. Numbers of rounds and attempts,
  the history of attempts and times stay what they have become.

A run that has ended stays ended, whatever becomes of its spec, until it is run again; so it is compared after that only. An
attempt keeps the preset and the labels that it started with: when they have changed since, the run is first suspended and
resumed.
"""

import json
import re
from typing import Any

from tests.simulation.campaign.cluster import Cluster
from tests.simulation.campaign.controllers import RUN
from tests.simulation.campaign.pods import is_ready
from tests.simulation.world import Object, copied
from trainingrun.contract import Stage

_OF_A_ROUND = ("columns", "stage", "restarts", "fruitlessAttempts", "stopping", "checkpoint", "choices", "tuning", "result")
_TIMES = ("creationTimestamp", "deletionTimestamp", "uid", "resourceVersion")
_SETTLED = ("Running", "Suspended", "Succeeded", "Failed", "Waiting", "Stalled")
_PATIENCE = 120
"""Rounds of the controllers in which a world that is well must have come to rest."""


def twin_of(cluster: Cluster) -> Cluster:
    """A world with the same objects of users, in which the run has just been created as it is now."""
    twin = Cluster(scheduler=cluster.config.gang_scheduler)
    twin.presets, twin.nodes = copied(cluster.presets), copied(cluster.nodes)
    run = cluster.runs[RUN]
    manifest = {name: run[name] for name in ("apiVersion", "kind", "spec")}
    marks = {name: run["metadata"].get(name, {}) for name in ("labels", "annotations")}
    twin.put({**manifest, "metadata": {"name": RUN, **marks}})
    return twin


def bring_to_rest(cluster: Cluster) -> None:
    """Let controllers and operator work until nothing is left to do, in a world where nothing fails."""
    cluster.heal()
    for _ in range(_PATIENCE):
        pause = cluster.settle_all()
        if cluster.work():
            continue
        if _is_settled(cluster):
            break
        cluster.wait((pause or 0) + 1)
    else:
        raise AssertionError(f"the run does not come to rest: {cluster.state(RUN)}: {_message(cluster)}")
    if cluster.state(RUN) == "Waiting":
        cluster.wait(cluster.run(RUN).spec.recovery.start_timeout_seconds + 1)
        cluster.settle_all()


def view(cluster: Cluster, *, is_whole_round: bool) -> Object:
    """What is compared of a run."""
    run = cluster.runs[RUN]
    status = run["status"]
    seen: Object = {
        "state": cluster.state(RUN),
        "conditions": {
            each["type"]: (each["status"], _reason(each["reason"], is_whole_round=is_whole_round))
            for each in status["conditions"]
        },
        "resolved": status.get("resolved"),
        "children": [_child(found, run) for _, found in sorted(cluster.objects.items())],
        "pods": len(cluster.live),
    }
    if is_whole_round:
        seen |= {name: status.get(name) for name in _OF_A_ROUND}
        seen["failure"] = status.get("failure", {}).get("cause")
    cleaned: Object = json.loads(_without_numbers(json.dumps(seen, sort_keys=True), run))
    return cleaned


def differences(one: Any, other: Any, *, path: str = "") -> list[str]:
    """Where two views differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        return [
            line
            for name in sorted(one.keys() | other.keys())
            for line in differences(one.get(name), other.get(name), path=f"{path}.{name}")
        ]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [line for index, (a, b) in pairs for line in differences(a, b, path=f"{path}[{index}]")]
    return [] if one == other else [f"{path} is {one!r}, and {other!r} of a run that was created like that"]


def _reason(reason: str, *, is_whole_round: bool) -> str:
    """A run that trains gives its stage as the reason: how far it has come is history."""
    return reason if is_whole_round or reason not in list(Stage) else "<stage>"


def _is_settled(cluster: Cluster) -> bool:
    if cluster.state(RUN) != "Running":
        return cluster.state(RUN) in _SETTLED
    resolved = cluster.run(RUN).status.resolved
    return resolved is not None and len([pod for pod in cluster.running if is_ready(pod)]) == resolved.replicas


def _message(cluster: Cluster) -> str:
    ready = cluster.run(RUN).status.condition("Ready")
    return ready.message if ready is not None else ""


def _child(found: Object, run: Object) -> Object:
    """An object without what is history; the trainer's configuration is read."""
    child = {name: part for name, part in copied(found).items() if name != "status"}
    child["metadata"] = {name: part for name, part in child["metadata"].items() if name not in _TIMES}
    for name, text in child.get("data", {}).items():
        try:
            told = json.loads(text)
        except ValueError:
            continue
        child["data"][name] = {**told, "attempt": "<n>", "round": "<n>"}
    if child["kind"] == "Job":
        (container,) = child["spec"]["template"]["spec"]["containers"]
        container["env"] = [
            {**each, "value": "<secret>"} if each["name"] == "TRAININGRUN_TOKEN" else each for each in container["env"]
        ]
    return child


def _without_numbers(text: str, run: Object) -> str:
    """Names and labels without the number of the attempt and without the run's UID."""
    attempt = run["status"].get("attempt", 0)
    text = text.replace(run["metadata"]["uid"], "<uid>").replace(run["metadata"]["uid"][:8], "<uid>")
    text = re.sub(rf"\b{RUN}-{attempt}\b", f"{RUN}-<n>", text)
    return text.replace(f'"trainingrun.dev/attempt": "{attempt}"', '"trainingrun.dev/attempt": "<n>"')
