"""Start an attempt: write its number, then make what it needs, in an order in which each thing finds the one before it."""

from collections.abc import Iterator

from trainingrun.api import Clock, Resolved
from trainingrun_operator.changes import changed
from trainingrun_operator.children import (
    config_map,
    hosts_service,
    in_gang,
    is_slice_of_hosts,
    job,
    network_policy,
    pod_group,
    rendezvous_service,
)
from trainingrun_operator.decision import Event, EventReason
from trainingrun_operator.life import ActiveAttempt, BetweenAttempts
from trainingrun_operator.model import Manifest
from trainingrun_operator.policies.claims import binding_claim
from trainingrun_operator.step import State, Step, deletions


def back_off(life: BetweenAttempts) -> Step | None:
    """Wait for the end of the back-off (backoff, `status.retryAt`) of the attempt before."""
    retry_at = life.status.retry_at
    if retry_at is None or life.now >= retry_at:
        return None
    cause = life.status.failure.cause if life.status.failure is not None else "Restarting"
    return Step(
        state=State.RESTARTING,
        reason=cause,
        message=f"Attempt {life.attempt} ended ({cause}); the next one starts at {retry_at:%H:%M:%S} UTC.",
        status=life.status,
        requeue_after=life.clocks.until(retry_at),
    )


def start_attempt(life: BetweenAttempts) -> Step:
    """Write the number of the next attempt and what applies to it. Its objects come after that has been read back."""
    attempt = life.attempt + 1
    clock = life.status.clock or Clock()
    return Step(
        state=State.STARTING,
        reason="Starting",
        message=f"Attempt {attempt} starts.",
        status=changed(
            life.status,
            attempt=attempt,
            resolved=what_applies(life),
            retry_at=None,
            timeline=None,
            progress=None,
            start_time=life.status.start_time or life.now,
            clock=changed(clock, running_since=life.now),
        ),
        delete=deletions(life.children.own),
        events=(Event(EventReason.ATTEMPT_STARTED, f"Attempt {attempt} starts."),),
        requeue_after=0.0,
    )


def create_children(life: ActiveAttempt) -> Step | None:
    """Make what the attempt still lacks. The Job comes last: its pods are told the Service's address."""
    if life.resolved.replicas > 1 and not life.resolved.coordinator:
        return _service_first(life)
    missing = tuple(manifest for manifest in _wanted(life) if not _is_there(life, manifest))
    return _creating(life, missing) if missing else None


def _is_there(life: ActiveAttempt, manifest: Manifest) -> bool:
    """Whether the attempt has this child. Of Services it may have two; of all others one, whatever its name."""
    found = [child for child in life.children.of_attempt if child.kind == manifest["kind"]]
    return any(child.kind != "Service" or child.name == manifest["metadata"]["name"] for child in found)


def _wanted(life: ActiveAttempt) -> Iterator[Manifest]:
    run, attempt, resolved = life.run, life.attempt, life.resolved
    if resolved.replicas > 1:
        yield rendezvous_service(run, attempt=attempt, cluster_ip=resolved.coordinator)
    if is_slice_of_hosts(run):
        yield hosts_service(run, attempt=attempt)
    yield config_map(run, attempt=attempt, resolved=resolved)
    yield network_policy(run, attempt=attempt, config=life.config)
    workers = job(run, attempt=attempt, resolved=resolved, same_node=binding_claim(life) is not None, config=life.config)
    scheduler = life.config.gang_scheduler
    if scheduler is None or resolved.replicas == 1:
        yield workers
        return
    if life.children.job is None:  # one that has been created without stays as it is
        yield pod_group(run, attempt=attempt, resolved=resolved, scheduler=scheduler)
    yield in_gang(workers, scheduler=scheduler)


def _service_first(life: ActiveAttempt) -> Step:
    """The Service gets its address from the API server; the address is written down before any pod is told of it."""
    service = life.children.service
    if service is None or not service.cluster_ip:
        made = () if service is not None else (rendezvous_service(life.run, attempt=life.attempt, cluster_ip=None),)
        return _creating(life, made)
    known = changed(life.resolved, coordinator=service.cluster_ip)
    return Step(
        state=State.STARTING,
        reason="Starting",
        message=f"Attempt {life.attempt} starts; its workers meet at {service.cluster_ip}.",
        status=changed(life.status, resolved=known),
        requeue_after=0.0,
    )


def _creating(life: ActiveAttempt, missing: tuple[Manifest, ...]) -> Step:
    kinds = ", ".join(manifest["kind"] for manifest in missing)
    return Step(
        state=State.STARTING,
        reason="Starting",
        message=f"Attempt {life.attempt} starts; creating {kinds}." if kinds else "Waiting for the Service's address.",
        status=life.status,
        create=missing,
        requeue_after=0.0 if missing else life.pace.look_again_seconds,
    )


def what_applies(life: BetweenAttempts) -> Resolved:
    """What applies to the new attempt, whatever becomes of the operator's defaults while it runs."""
    spec = life.run.spec
    workers, batch = spec.workers, spec.training.batch_size
    return Resolved(
        image=spec.image or life.config.trainer_image_for(workers.accelerator_kind) or "",
        strategy=spec.strategy_type,
        replicas=workers.replicas,
        processes_per_worker=workers.ranks_per_worker,
        accelerator=workers.accelerator_kind,
        accelerators=workers.replicas * workers.accelerators_per_worker,
        global_batch_size=batch * spec.batches_per_step if isinstance(batch, int) else None,
        preset=life.preset.record if life.preset is not None else None,
    )
