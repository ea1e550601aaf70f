"""Are all workers ready (PodsReady)? If not, say which waits for what, and give up after the start time-out."""

from collections.abc import Iterator
from dataclasses import replace

from trainingrun.api import Failure, StopReason
from trainingrun.contract import Cause, Stage
from trainingrun_operator.changes import changed
from trainingrun_operator.life import ActiveAttempt
from trainingrun_operator.model import Reference
from trainingrun_operator.policies.failure import retry_or_fail
from trainingrun_operator.policies.fit import why_nothing_fits
from trainingrun_operator.policies.hindrance import Hindrance, Need, Prospect, sentences
from trainingrun_operator.policies.refused_pods import refused_pods
from trainingrun_operator.policies.stopping import stop
from trainingrun_operator.policies.waiting_pods import pending_claims, waits_for
from trainingrun_operator.status.workers import ready_workers
from trainingrun_operator.step import State, Step

_SILENT_SECONDS = 2.0
"""How long a Job may take before anybody is asked why: most pods need no answer."""
_ASKED = 3
"""Pods that are asked about: a gang mostly waits for one thing."""
_EVER_LESS_OFTEN = 10.0


def subjects(life: ActiveAttempt) -> tuple[str, ...]:
    """UIDs of the objects about which Kubernetes Events may tell why the attempt takes its time to start; they are few."""
    job = life.children.job
    if job is None or life.queue.is_held or not _is_starting(life):
        return ()
    if life.clocks.attempt_seconds < _SILENT_SECONDS:
        return ()
    refused = [job.uid] if len(life.gang.pods) < life.resolved.replicas else []
    waiting = [pod for pod in life.gang.pods if pod.started is None and not pod.has_ended]
    unbound = [claim.uid for claim in pending_claims(life)] if any(not pod.node for pod in waiting) else []
    return (*refused, *(pod.uid for pod in waiting[:_ASKED]), *unbound[:_ASKED])


def wait_until_ready(life: ActiveAttempt) -> Step | None:
    """Wait for the gang. Once it has taken its first step, readiness is no longer asked for."""
    if not _is_starting(life):
        return None
    found = min(_hindrances(life), key=lambda each: each.need)
    is_over = life.clocks.start_timeout_left <= 0 and life.children.had_job and found.prospect is not Prospect.PASSES
    is_over = is_over and not _says_that_it_trains(life)
    if is_over and found.prospect is not Prospect.STALLS:
        return _give_up(life, found)
    return Step(
        state=State.STALLED if is_over else State.STARTING,
        reason=found.cause,
        message=sentences(found.message, found.hint),
        status=changed(life.status, stage=Stage.STARTING),
        requeue_after=_again(life),
        about=found.about,
    )


def _says_that_it_trains(life: ActiveAttempt) -> bool:
    """Whether the trainer has just reported its first step: kubelets may say seconds later that pods are ready."""
    report = life.reports.fresh
    return report is not None and report.moments.first_step is not None


def _is_starting(life: ActiveAttempt) -> bool:
    timeline = life.status.timeline
    has_begun = timeline is not None and timeline.first_step is not None
    return not has_begun and ready_workers(life) < life.resolved.replicas


def _hindrances(life: ActiveAttempt) -> Iterator[Hindrance]:
    refused = refused_pods(life)
    if refused is not None:
        yield refused
    misfit, image = why_nothing_fits(life), f"{life.resolved.image} ({_source_of_image(life)})"
    for pod in life.gang.pods:
        found = waits_for(life, pod, misfit=misfit, image=image)
        if found is not None:
            yield replace(found, about=found.about or Reference("Pod", pod.name))
    yield Hindrance(
        need=Need.TIME,
        cause="Starting",
        message=f"{ready_workers(life)} of {life.resolved.replicas} workers of attempt {life.attempt} are ready.",
    )


def _source_of_image(life: ActiveAttempt) -> str:
    if life.preset is not None and life.preset.spec.defaults.image == life.resolved.image:
        return f"of TrainingPreset {life.preset.record.name}"
    return "spec.image" if life.run.spec.image is not None else "the operator's default"


def _again(life: ActiveAttempt) -> float:
    """Seconds until the next look: what Events say comes without one of the watch, and the less often the longer it takes."""
    moments = [max(1.0, life.clocks.start_timeout_left)] if life.clocks.start_timeout_left > 0 else []
    if any(pod.started is None for pod in life.gang.pods) or len(life.gang.pods) < life.resolved.replicas:
        often, seldom = life.pace.look_again_seconds, life.pace.stalled_look_again_seconds
        moments.append(min(max(often, life.clocks.attempt_seconds / _EVER_LESS_OFTEN), max(often, seldom)))
    return min(moments, default=life.pace.stalled_look_again_seconds)


def _give_up(life: ActiveAttempt, found: Hindrance) -> Step:
    """Free what a half-started gang holds; what is nobody's fault does not count."""
    patience = life.run.spec.recovery.start_timeout_seconds
    failure = Failure(
        cause=found.cause if found.cause in list(Cause) else Cause.START_TIMEOUT,
        message=sentences(f"Not all workers were ready within spec.recovery.startTimeoutSeconds ({patience} s)", found.message),
        hint=found.hint,
        attempt=life.attempt,
    )
    if found.prospect is Prospect.FREES:
        return stop(life, reason=StopReason.RESTART, failure=failure)
    return retry_or_fail(life, failure, counts=True)
