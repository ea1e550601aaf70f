"""Look at one run: read, decide, act, write the status, say what happened. All I/O of the controller is here, in this order.

Every read is a quorum read (the API server answers those from its cache since Kubernetes 1.31), so a decision that counts or
destroys never rests on an old view, and there is no cache of our own that could lie.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from pydantic import ValidationError

from trainingrun.api import ObjectMeta, TrainingPreset, TrainingRun
from trainingrun.api.base import to_wire
from trainingrun.contract import Cause
from trainingrun_operator import names
from trainingrun_operator.cluster.port import (
    Cluster,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    Raw,
)
from trainingrun_operator.config import OperatorConfig
from trainingrun_operator.control.creating import create
from trainingrun_operator.control.nodes import NodeBook
from trainingrun_operator.control.progress import ProgressBook
from trainingrun_operator.control.sightings import Sightings
from trainingrun_operator.control.survey import status_of
from trainingrun_operator.control.telling import Telling
from trainingrun_operator.decide import decide
from trainingrun_operator.decision import Decision, Event, EventReason, EventType
from trainingrun_operator.life import ActiveAttempt, phase_of
from trainingrun_operator.metrics import Metrics
from trainingrun_operator.metrics.counting import count
from trainingrun_operator.model import Observed, Reference, Unreadable
from trainingrun_operator.observe import observe, observe_notices, read_preset, sights
from trainingrun_operator.policies.access import access_references
from trainingrun_operator.policies.claims import claim_names
from trainingrun_operator.policies.defect import stalled
from trainingrun_operator.policies.finished import is_at_rest
from trainingrun_operator.policies.permission import without_permission
from trainingrun_operator.policies.readiness import subjects
from trainingrun_operator.status.conditions import without_foreign
from trainingrun_operator.status.unknown_field import stalled_because, with_unknown_field

log = logging.getLogger(__name__)

Key = tuple[str, str]
"""Namespace and name of a run."""


@dataclass(frozen=True)
class Reconciler:
    """Brings one run a step further each time it is asked to."""

    cluster: Cluster
    progress: ProgressBook
    write_stacks: Callable[[Iterable[str]], Awaitable[None]]
    """Asks the workers at these addresses to write down where their ranks are."""
    sightings: Sightings
    nodes: NodeBook
    config: OperatorConfig
    metrics: Metrics
    now: Callable[[], datetime]
    telling: Telling = field(default_factory=Telling)

    async def reconcile(self, key: Key) -> float | None:
        """Look at a run once; returns the seconds after which to look again, or None.

        Raises ClusterError when a call failed in a way that another try may mend.
        """
        namespace, name = key
        raw = await self.cluster.get_run(namespace, name)
        if raw is None or "deletionTimestamp" in raw["metadata"]:
            self.progress.forget(key)
            self.sightings.forget(key)
            self.metrics.fleet.forget(key)
            return None
        try:
            run = TrainingRun.parse(dict(raw))
        except ValidationError as unknown:
            self.metrics.note(key, status_of(raw))
            await self._stall(raw, unknown)
            return None
        self.metrics.note(key, run.status)
        if run.status.is_finished:
            self.progress.forget(key)
        if is_at_rest(run):
            self.sightings.forget(key)
            return None
        self.progress.belongs_to(key, uid=run.metadata.uid)
        try:
            return await self._look(key, run, raw)
        except ForbiddenError as refused:
            log.warning("not allowed: %s", refused, extra=_about(raw))
            told = without_permission(run, str(refused), now=self.now(), pace=self.config.pace)
            await self._write(run, raw, told)
            return told.requeue_after

    async def _look(self, key: Key, run: TrainingRun, raw: Raw) -> float | None:
        """Raises ForbiddenError when the operator may not look at, or delete, something of the run."""
        observed = await self._observe(run)
        decision = decide(run, observed, now=self.now(), config=self.config)
        if decision.defect is None:
            self._poll(key, run, observed)
        else:
            self.metrics.defects.inc()
            log.error("deciding about a run failed", exc_info=decision.defect, extra=_about(raw))
        return await self._act(run, raw, observed, decision)

    async def _stall(self, raw: Raw, unknown: ValidationError) -> None:
        """Say that an older or newer CRD has let something through that this operator does not know."""
        status = with_unknown_field(raw, unknown, now=self.now())
        if status is None:
            return
        await self.cluster.apply_status(ObjectMeta.model_validate(raw["metadata"]), status=status)
        message = stalled_because(status)
        if message != stalled_because(raw.get("status")):
            log.error("run does not follow the schema: %s", unknown, extra=_about(raw))
            await self._tell(raw, Event(EventReason.STALLED, message, EventType.WARNING))

    async def _observe(self, run: TrainingRun) -> Observed:
        namespace, name = run.metadata.namespace, run.metadata.name
        children = await self.cluster.list_children(namespace, name)
        pods = await self.cluster.list_pods(namespace, name)
        claims = {claim: await self.cluster.get_claim(namespace, claim) for claim in claim_names(run)}
        key = (namespace, name)
        observed = observe(
            children=children,
            pods=pods,
            claims=claims,
            missing=await self._missing(run),
            preset=await self._preset(run),
            workloads=await self._workloads(run, children),
            progress=self.progress.latest(key),
            progress_changed=self.progress.changed(key),
            progress_heard=self.progress.heard(key),
        )
        observed = replace(observed, seen=self.sightings.note(key, sights(observed)))
        told = [event for uid in self._subjects(run, observed) for event in await self.cluster.list_events(namespace, uid)]
        observed = replace(observed, notices=observe_notices(told))
        if any(pod.unschedulable for pod in observed.pods):
            observed = replace(observed, nodes=await self.nodes.nodes())
        return observed

    def _subjects(self, run: TrainingRun, observed: Observed) -> tuple[str, ...]:
        """The objects about which Events are asked for; none when that cannot be told, for a reason that `decide` will meet."""
        try:
            life = phase_of(run, observed, now=self.now(), config=self.config)
            return subjects(life) if isinstance(life, ActiveAttempt) else ()
        except Exception:
            return ()

    async def _workloads(self, run: TrainingRun, children: Sequence[Raw]) -> Sequence[Raw] | None:
        """What Kueue says about the run's Job; it is only asked while it holds the Job back."""
        for child in children:
            is_held = child["kind"] == "Job" and child.get("spec", {}).get("suspend")
            if is_held and names.QUEUE_LABEL in child["metadata"].get("labels", {}):
                return await self.cluster.list_workloads(run.metadata.namespace, child["metadata"]["uid"])
        return ()

    async def _missing(self, run: TrainingRun) -> list[Reference]:
        """Secrets and ConfigMaps that are not there; a running attempt has its own, so then nobody is asked."""
        if run.status.resolved is not None:
            return []
        namespace = run.metadata.namespace
        return [each for each in access_references(run) if not await self.cluster.may_exist(namespace, each)]

    async def _preset(self, run: TrainingRun) -> TrainingPreset | Unreadable | None:
        """The preset of the next attempt; a running one has written down its own, so then nobody is asked."""
        if run.spec.preset is None or run.status.resolved is not None:
            return None
        try:
            raw = await self.cluster.get_preset(run.spec.preset)
        except ForbiddenError:
            return Unreadable("the operator lacks the permission to get trainingpresets. Apply the manifests of its release.")
        return read_preset(raw) if raw is not None else None

    async def _act(self, run: TrainingRun, raw: Raw, observed: Observed, decision: Decision) -> float | None:
        """Deletes, creates, one status write if it differs, then Events: what is written is true by then."""
        if decision.stacks_of:
            await self.write_stacks(decision.stacks_of)
        await self._delete(run, decision)
        if decision.create and not await self._lives_on(run):
            return None
        for manifest in decision.create:
            refusal = await create(self.cluster, run, manifest)
            if refusal is not None:
                decision = decide(run, observed, now=self.now(), config=self.config, refusal=refusal)
                await self._delete(run, decision)
                break
        try:
            await self._write(run, raw, decision)
        except InvalidError as refused:
            return await self._give_way(run, refused)
        return decision.requeue_after

    async def _delete(self, run: TrainingRun, decision: Decision) -> None:
        for deletion in decision.delete:
            await self.cluster.delete(run.metadata.namespace, deletion)

    async def _give_way(self, run: TrainingRun, refused: InvalidError) -> float:
        """The API server does not take the status: it gets the last one that it took, which then says why it is so old."""
        message = f"The API server refuses what the operator says of the run, which is a defect: {refused}"
        status = to_wire(stalled(run, run.status, reason=Cause.REFUSED, message=message, now=self.now()))
        if status != to_wire(run.status):
            await self.cluster.apply_status(run.metadata, status=status)
        self.metrics.defects.inc()
        log.error("status refused: %s", refused, extra=_about(to_wire(run)))
        return self.config.pace.stalled_look_again_seconds

    async def _lives_on(self, run: TrainingRun) -> bool:
        """Whether the run is still there, asked once its children were listed.

        The children of a run that was deleted between the two reads look as if they had to be made. They would be made for
        nobody, and taken away again by the garbage collector.
        """
        found = await self.cluster.get_run(run.metadata.namespace, run.metadata.name)
        metadata: Raw = (found or {}).get("metadata", {})
        return metadata.get("uid") == run.metadata.uid and "deletionTimestamp" not in metadata

    async def _write(self, run: TrainingRun, raw: Raw, decision: Decision) -> None:
        status = to_wire(without_foreign(decision.status))
        if status == to_wire(without_foreign(run.status)):
            return
        await self.cluster.apply_status(run.metadata, status=status)
        key = (run.metadata.namespace, run.metadata.name)
        self.metrics.note(key, decision.status)
        count(self.metrics, run.status, decision.status, namespace=key[0], now=self.now())
        columns = decision.status.columns
        log.info(
            "status written",
            extra={
                **_about(raw),
                "status": columns.status if columns is not None else "",
                "stage": decision.status.stage,
                "attempt": decision.status.attempt,
            },
        )
        for event in decision.events:
            await self._tell(raw, event)

    async def _tell(self, raw: Raw, event: Event) -> None:
        """Emit an Event, unless it was just told; that it may not be is no reason to stop, as the status says it, too."""
        if not self.telling.is_news(raw["metadata"]["uid"], event, now=self.now()):
            return
        try:
            await self.cluster.emit(raw, event)
        except (ForbiddenError, InvalidError, NotFoundError) as refused:
            log.warning("an Event was refused: %s", refused, extra=_about(raw))

    def _poll(self, key: Key, run: TrainingRun, observed: Observed) -> None:
        """Ask worker 0 of the active attempt for its progress from now on, or stop asking."""
        life = phase_of(run, observed, now=self.now(), config=self.config)
        first = next((pod for pod in life.gang.pods if pod.index == 0 and pod.phase == "Running" and pod.ip), None)
        if first is None or run.status.resolved is None:
            self.progress.stop(key)
        else:
            self.progress.follow(key, host=first.ip)


def _about(raw: Raw) -> dict[str, str]:
    """The fields that tell which run a log line is about."""
    metadata = raw.get("metadata", {})
    return {"namespace": metadata.get("namespace", ""), "run": metadata.get("name", ""), "uid": metadata.get("uid", "")}
