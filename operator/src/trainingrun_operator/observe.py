"""From raw objects, as the API server returns them, to values. Pure, and the only place that reads raw dictionaries.

What is missing or malformed in an object becomes an empty value: a foreign object must not stop the operator.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from trainingrun.api import TrainingPreset
from trainingrun.api.base import in_utc
from trainingrun.api.quantities import amount
from trainingrun.contract import FinalRecord, ProgressReport
from trainingrun_operator import bounds, names
from trainingrun_operator.model import Child, Claim, Job, Observed, Pod, Reference, Service, Unreadable, Workload
from trainingrun_operator.node import Node, Taint
from trainingrun_operator.sight import Notice, Sight, What

Raw = Mapping[str, Any]


def observe(
    *,
    children: Iterable[Raw],
    pods: Iterable[Raw],
    claims: Mapping[str, Raw | None],
    missing: Iterable[Reference] = (),
    preset: TrainingPreset | Unreadable | None = None,
    workloads: Sequence[Raw] | None = (),
    progress: ProgressReport | None = None,
    progress_changed: datetime | None = None,
    progress_heard: datetime | None = None,
) -> Observed:
    """What there is of a run: its children of all attempts, its pods, the claims that it names and its last progress.

    `missing` are the Secrets and ConfigMaps that it names in vain, `workloads` what Kueue has about its Job; None when the
    cluster has no Kueue.
    """
    return Observed(
        children=tuple(_child(raw) for raw in children),
        pods=tuple(_pod(raw) for raw in pods),
        claims={name: None if raw is None else _claim(raw) for name, raw in claims.items()},
        missing=frozenset(missing),
        preset=preset,
        workload=_workload(workloads[0]) if workloads else None,
        has_kueue=workloads is not None,
        progress=progress,
        progress_changed=progress_changed,
        progress_heard=progress_heard,
    )


def observe_nodes(raws: Iterable[Raw]) -> tuple[Node, ...]:
    """The nodes of a cluster."""
    return tuple(_node(raw) for raw in raws)


def sights(observed: Observed) -> Iterator[Sight]:
    """Everything of what there is from which time is counted."""
    for child in observed.children:
        if isinstance(child, Job) and not child.is_suspended and not child.is_resuming:
            yield Sight(child.uid, What.LET_GO)
    for pod in observed.pods:
        moments = {
            What.PLACED: pod.scheduled,
            What.STARTED: pod.started,
            What.ENDED: pod.finished,
            What.DELETED: pod.deleted_by,
        }
        yield from (Sight(pod.uid, what) for what, moment in moments.items() if moment is not None)


def observe_notices(raws: Iterable[Raw]) -> tuple[Notice, ...]:
    """Events, the newest first. Their moments are of one cluster's clocks, and are compared with one another only."""
    newest = sorted(raws, key=_said, reverse=True)
    return tuple(
        Notice(
            about=raw.get("involvedObject", {}).get("uid", ""),
            reason=raw.get("reason") or "",
            message=" ".join((raw.get("message") or "").split()),
        )
        for raw in newest
    )


def _said(raw: Raw) -> str:
    """When it was said last, in the API server's form, which sorts as text; new Events have other fields than old ones."""
    series = raw.get("series") or {}
    return series.get("lastObservedTime") or raw.get("lastTimestamp") or raw.get("eventTime") or ""


def _node(raw: Raw) -> Node:
    taints = raw.get("spec", {}).get("taints", ())
    return Node(
        name=raw.get("metadata", {}).get("name", ""),
        labels=raw.get("metadata", {}).get("labels", {}),
        allocatable={name: amount(str(found)) for name, found in raw.get("status", {}).get("allocatable", {}).items()},
        taints=tuple(Taint(taint.get("key", ""), taint.get("effect", ""), taint.get("value", "")) for taint in taints),
        is_cordoned=bool(raw.get("spec", {}).get("unschedulable")),
    )


def read_preset(raw: Raw) -> TrainingPreset | Unreadable:
    """The preset, whole or not at all: what this operator does not know may be a limit."""
    try:
        return TrainingPreset.parse(dict(raw))
    except ValidationError as invalid:
        first = invalid.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        return Unreadable(f"this operator does not know what {where} says ({first['msg']}). Update the operator.")


def _child(raw: Raw) -> Child:
    metadata = raw.get("metadata", {})
    owner = controller(metadata)
    common = {
        "kind": raw.get("kind", ""),
        "name": metadata.get("name", ""),
        "uid": metadata.get("uid", ""),
        "owner_uid": owner.get("uid", ""),
        "owner_name": owner.get("name", "") if owner.get("kind") == "TrainingRun" else "",
        "attempt": _integer(metadata.get("labels", {}).get(names.ATTEMPT_LABEL)),
        "is_deleting": "deletionTimestamp" in metadata,
    }
    status = raw.get("status", {})
    if raw.get("kind") == "Service":
        return Service(**common, cluster_ip=raw.get("spec", {}).get("clusterIP", ""))
    if raw.get("kind") == "Job":
        is_suspended = bool(raw.get("spec", {}).get("suspend"))
        conditions = _conditions(status)
        return Job(
            **common,
            created=_moment(metadata.get("creationTimestamp")),
            failed_indexes=status.get("failedIndexes") or "",
            succeeded=status.get("succeeded") or 0,
            is_suspended=is_suspended,
            is_resuming=not is_suspended and _is_true(conditions.get("Suspended")),
            started=_moment(status.get("startTime")),
            is_over=_is_true(conditions.get("Complete")) or _is_true(conditions.get("Failed")),
        )
    return Child(**common)


def controller(metadata: Raw) -> Raw:
    """The owner that controls an object; empty when none does."""
    return next((owner for owner in metadata.get("ownerReferences", ()) if owner.get("controller")), {})


def _pod(raw: Raw) -> Pod:
    metadata, spec, status = raw.get("metadata", {}), raw.get("spec", {}), raw.get("status", {})
    labels, owner = metadata.get("labels", {}), controller(metadata)
    conditions = _conditions(status)
    scheduled, ready = conditions.get("PodScheduled", {}), conditions.get("Ready", {})
    disruption = conditions.get("DisruptionTarget", {})
    container: Raw = next((each for each in status.get("containerStatuses", ()) if each.get("name") == names.CONTAINER), {})
    state = container.get("state", {})
    waiting, running, terminated = state.get("waiting", {}), state.get("running", {}), state.get("terminated", {})
    left = terminated.get("message") or ""
    record = bounds.read(FinalRecord, left)
    return Pod(
        name=metadata.get("name", ""),
        uid=metadata.get("uid", ""),
        run_uid=labels.get(names.UID_LABEL, ""),
        job_name=owner.get("name", "") if owner.get("kind") == "Job" else "",
        job_uid=owner.get("uid", "") if owner.get("kind") == "Job" else "",
        attempt=_integer(labels.get(names.ATTEMPT_LABEL)),
        index=_integer(labels.get(names.INDEX_LABEL)),
        phase=status.get("phase", ""),
        ip=status.get("podIP", ""),
        node=spec.get("nodeName", ""),
        is_ready=_is_true(ready),
        is_deleting="deletionTimestamp" in metadata,
        created=_moment(metadata.get("creationTimestamp")),
        deleted_by=_moment(metadata.get("deletionTimestamp")),
        grace_seconds=_seconds(metadata.get("deletionGracePeriodSeconds")),
        scheduled=_moment(scheduled.get("lastTransitionTime")) if _is_true(scheduled) else None,
        started=_moment(running.get("startedAt") or terminated.get("startedAt")),
        finished=_moment(terminated.get("finishedAt")),
        waiting_reason=waiting.get("reason", ""),
        waiting_message=waiting.get("message", ""),
        unschedulable=scheduled.get("message", "") if scheduled.get("reason") == "Unschedulable" else "",
        was_looked_at=bool(scheduled) or bool(spec.get("nodeName")),
        terminated_reason=terminated.get("reason") or "",
        reason=status.get("reason") or "",
        message=status.get("message") or "",
        last_words="" if record is not None else bounds.shown(left),
        exit_code=terminated.get("exitCode"),
        disruption=disruption.get("reason", "") if _is_true(disruption) else "",
        record=record,
    )


def _claim(raw: Raw) -> Claim:
    metadata, spec = raw.get("metadata", {}), raw.get("spec", {})
    return Claim(
        name=metadata.get("name", ""),
        access_modes=tuple(spec.get("accessModes", ())),
        uid=metadata.get("uid", ""),
        phase=raw.get("status", {}).get("phase", ""),
        storage_class=spec.get("storageClassName") or "",
    )


def _workload(raw: Raw) -> Workload:
    """The condition that says most: why it was stopped, or else why it is not admitted."""
    conditions = _conditions(raw.get("status", {}))
    if _is_true(conditions.get("Admitted")) and not _is_true(conditions.get("Evicted")):
        return Workload(reason="Admitted", message="it is admitted, and starts now")
    quota, evicted = conditions.get("QuotaReserved", {}), conditions.get("Evicted", {})
    waits_for = conditions.get("Admitted", {}) if _is_true(quota) else quota
    why = evicted if _is_true(evicted) else waits_for
    return Workload(
        reason=why.get("reason") or "Pending",
        message=" ".join(str(waits_for.get("message") or why.get("message") or "").split()),
        is_active=raw.get("spec", {}).get("active", True),
    )


def _conditions(status: Raw) -> dict[str, Raw]:
    return {condition["type"]: condition for condition in status.get("conditions", ())}


def _is_true(condition: Raw | None) -> bool:
    return condition is not None and condition.get("status") == "True"


def _seconds(found: object) -> float:
    return float(found) if isinstance(found, int) and found >= 0 else 0.0


def _integer(text: str | None) -> int:
    try:
        return int(text or 0)
    except ValueError:
        return 0


def _moment(text: str | None) -> datetime | None:
    try:
        return in_utc(datetime.fromisoformat(text)) if text else None
    except ValueError:
        return None
