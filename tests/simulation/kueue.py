"""Kueue and the Job controller, as far as they play with suspended Jobs, in the in-memory cluster."""

from datetime import timedelta
from typing import Any

from tests.builders import stamp
from tests.simulation.world import Object, World
from trainingrun_operator import names

QUEUED: dict[str, Any] = {"metadata__labels": {names.QUEUE_LABEL: "team", "kueue.x-k8s.io/priority-class": "low"}}
"""Changes to a manifest that put the run into a queue."""
NO_ROOM = "couldn't assign flavors to pod set main: insufficient unused quota for cpu in flavor default, 1 more needed"


def the_job(world: World) -> Object:
    """The only Job."""
    (job,) = [found for (kind, _), found in world.objects.items() if kind == "Job"]
    return job


def refuse(world: World, *, reason: str = "Pending", message: str = NO_ROOM, evicted: str = "", active: bool = True) -> None:
    """Kueue says why the Job is not admitted."""
    conditions = [{"type": "QuotaReserved", "status": "False", "reason": reason, "message": message}]
    if evicted:
        conditions.append({"type": "Evicted", "status": "True", "reason": evicted, "message": "Preempted for another"})
    workload = {"spec": {"active": active}, "status": {"conditions": conditions}}
    world.workloads = {**(world.workloads or {}), the_job(world)["metadata"]["uid"]: workload}


def admit(world: World) -> None:
    """Kueue lets the Job go; the Job controller makes its pods."""
    job = the_job(world)
    assert job["spec"]["suspend"], "what runs is not admitted again"
    world.workloads = {}
    job["spec"]["suspend"] = False
    job["status"]["startTime"] = stamp(world.now)
    job["status"]["conditions"] = [{"type": "Suspended", "status": "False"}]
    world.kubelet()


def preempt(world: World) -> None:
    """Kueue suspends the Job, whose pods get SIGTERM."""
    job = the_job(world)
    job["spec"]["suspend"] = True
    job["status"].pop("startTime")
    job["status"]["conditions"] = [{"type": "Suspended", "status": "True"}]
    for pod in world.pods.values():
        pod["metadata"]["deletionTimestamp"] = stamp(world.now + timedelta(seconds=30))
    refuse(world, evicted="Preempted")


def finish_while_preempted(world: World) -> None:
    """All workers finish in the moment in which Kueue stops them: the Job counts none of them."""
    preempt(world)
    world.succeed()


def end_leaving_pods(world: World) -> None:
    """The pods that Kueue has stopped have ended: the Job controller counts them for nothing, so their objects go as well."""
    world.pods = {name: pod for name, pod in world.pods.items() if "deletionTimestamp" not in pod["metadata"]}
