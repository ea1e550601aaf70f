"""Are all workers ready to train? If not, say which waits for what, and give up after the start time-out."""

from trainingrun.api import Failure, StopReason
from trainingrun.contract import Cause, Stage
from trainingrun_operator.life import Life
from trainingrun_operator.model import Pod
from trainingrun_operator.policies.failure import retry_or_fail
from trainingrun_operator.policies.fit import why_nothing_fits
from trainingrun_operator.policies.stopping import stop
from trainingrun_operator.status.workers import ready_workers
from trainingrun_operator.step import State, Step

_IMAGE_REASONS = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull")
_CONFIG_REASONS = ("CreateContainerConfigError", "CreateContainerError", "RunContainerError")


def wait_until_ready(life: Life) -> Step | None:
    """Wait for the gang. Once it has taken its first step, readiness is no longer asked for."""
    resolved = life.resolved
    assert resolved is not None, "start_attempt comes before"
    timeline = life.status.timeline
    if timeline is not None and timeline.first_step is not None:
        return None
    if ready_workers(life) >= resolved.replicas:
        return None
    cause, message, hint = _explain(life)
    if life.start_timeout_left <= 0 and life.has_started_job:
        return _give_up(life, cause=cause, message=message, hint=hint)
    return Step(
        state=State.STARTING,
        reason=cause,
        message=message,
        status=life.status.model_copy(update={"stage": Stage.STARTING}),
        requeue_after=max(1.0, life.start_timeout_left),
    )


def _give_up(life: Life, *, cause: str, message: str, hint: str) -> Step:
    """Free what a half-started gang holds. That no node has room is nobody's fault and does not count."""
    patience = life.run.spec.recovery.start_timeout_seconds
    failure = Failure(
        cause=cause if cause != "Starting" else Cause.START_TIMEOUT,
        message=f"Not all workers were ready within spec.recovery.startTimeoutSeconds ({patience} s). {message}",
        hint=hint,
        attempt=life.attempt,
    )
    if cause == Cause.UNSCHEDULABLE:
        return stop(life, reason=StopReason.RESTART, failure=failure)
    return retry_or_fail(life, failure, counts=True)


def _explain(life: Life) -> tuple[str, str, str]:
    """Reason, sentence and hint for the worker that waits for the most basic thing."""
    resolved = life.resolved
    assert resolved is not None, "start_attempt comes before"
    misfit = why_nothing_fits(life)
    image = f"{resolved.image} ({_source_of_image(life)})"
    explained = [found for pod in life.pods if (found := _explain_pod(pod, image=image, misfit=misfit)) is not None]
    if explained:
        return explained[0]
    return ("Starting", f"{ready_workers(life)} of {resolved.replicas} workers of attempt {life.attempt} are ready.", "")


def _source_of_image(life: Life) -> str:
    preset, resolved = life.preset, life.resolved
    if preset is not None and resolved is not None and preset.spec.defaults.image == resolved.image:
        return f"of TrainingPreset {preset.record.name}"
    return "spec.image" if life.run.spec.image is not None else "the operator's default"


def _explain_pod(pod: Pod, *, image: str, misfit: str | None) -> tuple[str, str, str] | None:
    if pod.waiting_reason in _IMAGE_REASONS:
        return (
            Cause.IMAGE_PULL,
            f"Worker {pod.index} waits for the image {image}: {pod.waiting_reason}. {_shortened(pod.waiting_message)}".strip(),
            "See that the node can pull it, or set another spec.image.",
        )
    if pod.waiting_reason in _CONFIG_REASONS:
        return (
            Cause.CONTAINER_CREATE,
            f"The container of worker {pod.index} cannot be made: {pod.waiting_reason}. {_shortened(pod.waiting_message)}",
            "See `kubectl describe pod` for what it lacks.",
        )
    if pod.unschedulable:
        return (
            Cause.UNSCHEDULABLE,
            f"Worker {pod.index} fits no node: {misfit or _shortened(pod.unschedulable)}",
            "Ask for less, or for what there is, in spec.workers, or add such nodes."
            if misfit is not None
            else "Lower spec.workers.resources.requests, or add nodes.",
        )
    return None


def _shortened(text: str, *, limit: int = 300) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"
