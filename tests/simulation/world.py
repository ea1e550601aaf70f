"""An in-memory cluster under virtual time, in which the operator's own controller runs.

It keeps the rules that matter: names are unique, a delete checks the UID, owned objects go with their owner, a Job's pods go
with the Job, a status is replaced as a whole, and a write for another UID is refused. It refuses impossible worlds: a child
without an owner, a pod that ends twice.
"""

import itertools
import json
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

from pydantic import ValidationError

from tests.builders import CONFIG, NOON, stamp
from tests.manifests import a_manifest
from trainingrun.api import CheckpointPosition, ObjectMeta, Result, TrainingRun, TrainingRunStatus
from trainingrun.api.base import to_wire
from trainingrun.contract import FinalRecord, ProgressReport, Stage
from trainingrun.contract_version import CONTRACT
from trainingrun_operator import names
from trainingrun_operator.cluster.port import (
    CHILD_KINDS,
    AlreadyExistsError,
    BusyError,
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    Raw,
)
from trainingrun_operator.config import GangScheduler
from trainingrun_operator.control.nodes import NodeBook
from trainingrun_operator.control.progress import ProgressBook
from trainingrun_operator.control.reconcile import Reconciler
from trainingrun_operator.control.sightings import Sightings
from trainingrun_operator.decision import Deletion, Event
from trainingrun_operator.metrics import Metrics
from trainingrun_operator.model import Manifest, Reference
from trainingrun_operator.pace import Pace, Timing

NAMESPACE = "team"
Object = dict[str, Any]
Value = TypeVar("Value")


class Crash(BaseException):
    """The operator is killed at this write. No handler of the operator may catch it."""


class World:
    """The cluster, its clock, and the operator that is run in it."""

    def __init__(
        self, *, pace: Pace | None = None, timing: Timing | None = None, gang_scheduler: GangScheduler | None = None
    ) -> None:
        self.config = replace(CONFIG, pace=pace or Pace(), gang_scheduler=gang_scheduler)
        self.timing = timing or Timing()
        self.now: datetime = NOON
        self.runs: dict[str, Object] = {}
        self.objects: dict[tuple[str, str], Object] = {}
        self.pods: dict[str, Object] = {}
        self.claims: dict[str, Object] = {
            "models": {"metadata": {"name": "models"}, "spec": {"accessModes": ["ReadWriteMany"]}}
        }
        self.presets: dict[str, Object] = {}
        self.user_objects: set[Reference] = set()
        """Secrets and ConfigMaps of the user."""
        self.workloads: dict[str, Object] | None = {}
        """What Kueue says, by the UID of the Job; None: there is no Kueue."""
        self.asked_for_user_objects = 0
        self.nodes: list[Object] | None = []
        """None: the operator may not look at them."""
        self.asked_for_nodes = 0
        self.asked_for_presets = 0
        self.said: list[Object] = []
        """Kubernetes Events of controllers and kubelets."""
        self.asked_for_events: list[str] = []
        self.writes: list[str] = []
        self.events: list[Event] = []
        self.crash_at: int | None = None
        self.crash_after_write = False
        self.failing: dict[int, Exception] = {}
        self.forbidden: set[str] = set()
        """What the operator may not do, for example "list Job"."""
        self.refuse_all: Exception | None = None
        """What every create is answered with."""
        self.asked_for_stacks: list[str] = []
        self.silent: set[str] = set()
        """Runs whose worker 0 the operator cannot reach; that of any other says what it said last."""
        self.node_clock = timedelta()
        """How far the clocks of nodes and controllers are ahead of the operator's."""
        self.stale: Object | None = None
        """What the next reader of a run gets: one that was held up since it read it."""
        self._reports: dict[str, ProgressReport] = {}
        self._numbers = itertools.count(1)
        self._start_operator()

    # -- what a user does

    def apply(self, name: str = "mnist", **changes: Any) -> None:
        """Create a run, or change its spec."""
        manifest = a_manifest(name, **changes)
        if name in self.runs:
            self.runs[name]["spec"] = manifest["spec"]
            self.runs[name]["metadata"]["generation"] += 1
            self.touch(name)
            return
        manifest["metadata"] |= {
            "namespace": NAMESPACE,
            "uid": f"run-{next(self._numbers)}",
            "generation": 1,
            "creationTimestamp": stamp(self.now),
        }
        self.runs[name] = manifest
        self.touch(name)

    def touch(self, name: str = "mnist") -> None:
        """The run has changed: it has another resource version."""
        self.runs[name]["metadata"]["resourceVersion"] = str(next(self._numbers))

    def delete_run(self, name: str = "mnist", *, pods_linger: bool = False, job_lingers: bool = False) -> None:
        """Delete a run; what it owns goes with it, its pods and its Job perhaps later."""
        uid = self.runs.pop(name)["metadata"]["uid"]
        for kind, key in [key for key, found in self.objects.items() if _owner(found) == uid]:
            if kind != "Job" or not job_lingers:
                del self.objects[kind, key]
        if not pods_linger:
            self.pods = {key: pod for key, pod in self.pods.items() if pod["metadata"]["labels"][names.UID_LABEL] != uid}

    # -- what the cluster does

    def kubelet(self) -> None:
        """Start the pods of every Job that has none, and make them ready."""
        for (kind, name), job in self.objects.items():
            if kind != "Job" or "deletionTimestamp" in job["metadata"] or job["spec"].get("suspend"):
                continue
            for index in range(job["spec"]["completions"]):
                self.pods.setdefault(f"{name}-{index}", self._pod(job, index=index))

    def report(self, *, epoch: int, name: str = "mnist", stage: Stage = Stage.TRAINING, **fields: Any) -> bool:
        """Worker 0 reports progress, of which `fields` are others; returns whether the run should be looked at."""
        attempt = self.run(name).status.attempt
        position = CheckpointPosition(stage="Training", epoch=epoch, step=epoch * 10)
        report = ProgressReport(
            contract_version=CONTRACT,
            attempt=attempt,
            stage=stage,
            epoch=epoch,
            percent=epoch,
            checkpoint=position,
            updated_at=self.now,
            **fields,
        )
        self._reports[name] = report
        return self.book.note((NAMESPACE, name), report)

    def end_pod(
        self, index: int, *, code: int, name: str = "mnist", reason: str = "", lives_on: bool = False, **record: Any
    ) -> None:
        """A container of the current attempt ends, with its final record; its pod may live on."""
        attempt = self.run(name).status.attempt
        pod = self.pods[f"{name}-{attempt}-{index}"]
        assert pod["status"]["phase"] == "Running", "a pod ends once"
        last = FinalRecord(contract_version=CONTRACT, attempt=attempt, worker=index, exit_code=code, **record)
        if not lives_on:
            pod["status"]["phase"] = "Succeeded" if code == 0 else "Failed"
        pod["status"]["containerStatuses"][0]["state"] = {
            "terminated": {
                "exitCode": code,
                "reason": reason or ("Completed" if code == 0 else "Error"),
                "finishedAt": stamp(self.now + self.node_clock),
                "message": json.dumps(to_wire(last)),
            }
        }
        pod["status"]["conditions"] = []

    def succeed(self, name: str = "mnist", *, lives_on: bool = False) -> None:
        """All workers of the current attempt finish; their pods may live on."""
        for index in range(self.run(name).spec.workers.replicas):
            self.end_pod(index, code=0, name=name, lives_on=lives_on, result=Result(epochs=2) if index == 0 else None)

    def lose_node(self, index: int, name: str = "mnist") -> None:
        """The node of a worker stops answering, and the taint manager deletes its pod, which nobody is there to end."""
        pod = self.pods[f"{name}-{self.run(name).status.attempt}-{index}"]
        pod["metadata"]["deletionTimestamp"] = stamp(self.now + self.node_clock + timedelta(seconds=30))
        pod["metadata"]["deletionGracePeriodSeconds"] = 30
        pod["status"]["conditions"] = [{"type": "DisruptionTarget", "status": "True", "reason": "DeletionByTaintManager"}]

    def finish_deletions(self) -> None:
        """Pods of Jobs that are being deleted end, and then the Jobs go."""
        for key, job in [(key, found) for key, found in self.objects.items() if "deletionTimestamp" in found["metadata"]]:
            self.pods = {name: pod for name, pod in self.pods.items() if not name.startswith(f"{job['metadata']['name']}-")}
            del self.objects[key]

    # -- what the operator does

    def settle(self, name: str = "mnist", *, limit: int = 50) -> float | None:
        """Let the operator look until it wants to wait; returns for how many seconds."""
        for _ in range(limit):
            again = self.look(name)
            if again is None or again > 0:
                return again
        raise AssertionError(f"the operator does not come to rest: {self.writes[-10:]}")

    def look(self, name: str = "mnist") -> float | None:
        """Let the operator look once; an error of the API server means that it looks again at once."""
        for known, report in self._reports.items():
            if known not in self.silent and self.book.latest((NAMESPACE, known)) == report:
                self.book.note((NAMESPACE, known), report)
        try:
            return _finished(self.reconciler.reconcile((NAMESPACE, name)))
        except (BusyError, ConflictError):
            return 0.0
        except Crash:
            self._start_operator()
            return 0.0

    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.now += timedelta(seconds=seconds)

    def run(self, name: str = "mnist") -> TrainingRun:
        """The run as it is stored."""
        return TrainingRun.parse(self.runs[name])

    def state(self, name: str = "mnist") -> str:
        """The Status column."""
        columns = self.run(name).status.columns
        return columns.status if columns is not None else ""

    def kinds(self) -> list[str]:
        """Kinds and names of all objects, sorted."""
        return sorted(f"{kind}/{name}" for kind, name in self.objects)

    def _start_operator(self) -> None:
        """A new process: it remembers nothing, and asks worker 0 anew."""
        self.book = ProgressBook(pace=self.config.pace, timing=self.timing, now=lambda: self.now)
        for name, report in self._reports.items():
            self.book.note((NAMESPACE, name), report)
        api = _Api(self)
        nodes = NodeBook(api, timing=self.timing, now=lambda: self.now)
        sightings = Sightings(now=lambda: self.now)
        self.reconciler = Reconciler(
            cluster=api,
            progress=self.book,
            write_stacks=self._ask_for_stacks,
            nodes=nodes,
            sightings=sightings,
            config=self.config,
            metrics=Metrics(),
            now=lambda: self.now,
        )

    async def _ask_for_stacks(self, hosts: Iterable[str]) -> None:
        self.asked_for_stacks.extend(hosts)

    def _pod(self, job: Object, *, index: int) -> Object:
        there = stamp(self.now + self.node_clock)
        started = {"state": {"running": {"startedAt": there}}, "name": names.CONTAINER}
        ready = [
            {"type": "PodScheduled", "status": "True", "lastTransitionTime": there},
            {"type": "Ready", "status": "True"},
        ]
        labels = {**job["spec"]["template"]["metadata"]["labels"], names.INDEX_LABEL: str(index)}
        metadata = {
            "name": f"{job['metadata']['name']}-{index}",
            "uid": f"pod-{next(self._numbers)}",
            "labels": labels,
            "ownerReferences": [
                {"kind": "Job", "name": job["metadata"]["name"], "uid": job["metadata"]["uid"], "controller": True}
            ],
            "creationTimestamp": stamp(self.now),
        }
        status = {"phase": "Running", "podIP": "10.244.0.5", "conditions": ready, "containerStatuses": [started]}
        return {"metadata": metadata, "spec": {"nodeName": "node-1"}, "status": status}

    def write(self, what: str, act: Callable[[], None]) -> None:
        """One write of the operator: it may fail, or the operator may die just before or after it."""
        number = len(self.writes)
        if number in self.failing:
            raise self.failing.pop(number)
        if self.crash_at == number and not self.crash_after_write:
            self.crash_at = None
            raise Crash
        act()
        self.writes.append(what)
        if self.crash_at == number:
            self.crash_at = None
            raise Crash


class _Api:
    """The port `Cluster` of the world."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def get_run(self, namespace: str, name: str) -> Raw | None:
        stale, self._world.stale = self._world.stale, None
        return stale or copied(self._world.runs.get(name))

    async def list_runs(self, namespace: str | None) -> Sequence[Raw]:
        return list(self._world.runs.values())

    async def list_children(self, namespace: str, run: str) -> Sequence[Raw]:
        for kind in CHILD_KINDS:
            self._may("list", kind)
        return [
            copied(found)
            for found in self._world.objects.values()
            if found["metadata"]["labels"].get(names.RUN_LABEL) == run and f"list {found['kind']}" not in self._world.forbidden
        ]

    async def list_pods(self, namespace: str, run: str) -> Sequence[Raw]:
        self._may("list", "Pod")
        return [copied(pod) for pod in self._world.pods.values() if pod["metadata"]["labels"][names.RUN_LABEL] == run]

    async def find(self, namespace: str, kind: str, name: str) -> Raw | None:
        self._may("list", kind)
        return copied(self._world.objects.get((kind, name)))

    async def get_claim(self, namespace: str, name: str) -> Raw | None:
        self._may("get", "PersistentVolumeClaim")
        return self._world.claims.get(name)

    async def may_exist(self, namespace: str, reference: Reference) -> bool:
        self._world.asked_for_user_objects += 1
        self._may("get", reference.kind)
        return reference in self._world.user_objects

    async def get_preset(self, name: str) -> Raw | None:
        self._world.asked_for_presets += 1
        return copied(self._world.presets.get(name))

    async def list_workloads(self, namespace: str, job_uid: str) -> Sequence[Raw] | None:
        workloads = self._world.workloads
        return None if workloads is None else [workloads[job_uid]] if job_uid in workloads else []

    async def list_events(self, namespace: str, uid: str) -> Sequence[Raw]:
        self._world.asked_for_events.append(uid)
        return [event for event in self._world.said if event["involvedObject"]["uid"] == uid]

    async def list_nodes(self) -> Sequence[Raw]:
        self._world.asked_for_nodes += 1
        if self._world.nodes is None:
            raise ForbiddenError("nodes is forbidden")
        return self._world.nodes

    async def create(self, manifest: Manifest) -> None:
        kind, name = manifest["kind"], manifest["metadata"]["name"]
        self._may("create", kind)
        if self._world.refuse_all is not None:
            raise self._world.refuse_all

        def act() -> None:
            if (kind, name) in self._world.objects:
                raise AlreadyExistsError(name)
            assert manifest["metadata"]["ownerReferences"][0]["controller"], "every child has an owner"
            stored = copied(manifest)
            stored["metadata"] |= {"uid": f"uid-{next(self._world._numbers)}", "creationTimestamp": stamp(self._world.now)}
            stored["status"] = {}
            if kind == "Service":
                stored["spec"].setdefault("clusterIP", "10.96.0.9")
            self._world.objects[kind, name] = stored

        self._world.write(f"create {kind} {name}", act)

    async def delete(self, namespace: str, deletion: Deletion) -> None:
        self._may("delete", deletion.kind)

        def act() -> None:
            found = self._world.objects.get((deletion.kind, deletion.name))
            if found is None or found["metadata"]["uid"] != deletion.uid:
                return
            if deletion.kind == "Job" and any(name.startswith(f"{deletion.name}-") for name in self._world.pods):
                found["metadata"]["deletionTimestamp"] = stamp(self._world.now)  # foreground: the pods go first
            else:
                del self._world.objects[deletion.kind, deletion.name]

        self._world.write(f"delete {deletion.kind} {deletion.name}", act)

    async def apply_status(self, run: ObjectMeta, *, status: Manifest) -> None:
        def act() -> None:
            stored = self._world.runs.get(run.name)
            if stored is None:
                raise NotFoundError(run.name)
            if (stored["metadata"]["uid"], stored["metadata"]["resourceVersion"]) != (run.uid, run.resource_version):
                raise ConflictError(run.name)
            assert {} not in status.values(), "the API server refuses an empty object in the place of one with fields"
            _refuse_what_the_schema_does(status)
            stored["status"] = copied(status)
            self._world.touch(run.name)

        self._world.write(f"status {run.name}", act)

    async def emit(self, run: Raw, event: Event) -> None:
        self._may("create", "Event")
        self._world.events.append(event)

    def _may(self, verb: str, kind: str) -> None:
        """Refuse what is forbidden, in the API server's words."""
        if f"{verb} {kind}" in self._world.forbidden:
            plural, group = f"{kind.lower()}s", {"Job": "batch", "PodGroup": "scheduling.volcano.sh"}.get(kind, "")
            raise ForbiddenError(
                f'403 {plural} is forbidden: User "operator" cannot {verb} resource "{plural}" in API group "{group}" in the '
                f'namespace "{NAMESPACE}"'
            )


def _finished(work: Coroutine[Any, Any, float | None]) -> float | None:
    """Run a coroutine that never waits, which the world's answers see to."""
    try:
        work.send(None)
    except StopIteration as end:
        value: float | None = end.value
        return value
    raise AssertionError("nothing in this world takes time")


def _refuse_what_the_schema_does(status: Manifest) -> None:
    try:
        TrainingRunStatus.model_validate(status)
    except ValidationError as invalid:
        raise InvalidError(f"422 {invalid}") from invalid
    if not _is_stored_as_it_is(status):
        raise InvalidError("400 a number of more than 64 bits")


def copied(value: Value) -> Value:
    """A deep copy of what JSON can say, in a fraction of the time of `copy.deepcopy`."""
    whole: Any = value
    if isinstance(value, dict):
        whole = {name: copied(part) for name, part in value.items()}
    elif isinstance(value, list):
        whole = [copied(part) for part in value]
    return cast("Value", whole)


def _is_stored_as_it_is(value: Any) -> bool:
    """Whether all integers have 64 bits at most, with their sign: an API server takes others for floats."""
    if isinstance(value, dict | list):
        return all(_is_stored_as_it_is(each) for each in (value.values() if isinstance(value, dict) else value))
    return not isinstance(value, int) or -(2**63) <= value < 2**63


def _owner(found: Object) -> str:
    return str(found["metadata"]["ownerReferences"][0]["uid"])
