"""One cause for many symptoms: the most telling evidence of all failed pods."""

from trainingrun.api import Failure
from trainingrun.contract import Cause, ExitCode
from trainingrun_operator.changes import FailureFields, changed
from trainingrun_operator.life import Life
from trainingrun_operator.model import Pod

_DISRUPTION_CAUSES = {
    "PreemptionByScheduler": Cause.PREEMPTED,
    "EvictionByEvictionAPI": Cause.EVICTED,
    "DeletionByTaintManager": Cause.NODE_LOST,
    "DeletionByPodGC": Cause.NODE_LOST,
    "TerminationByKubelet": Cause.EVICTED,
}
_SYMPTOMS = {ExitCode.PEER_LOST, ExitCode.INTERRUPTED}
_LEAST = 6
_SIGNALLED = 128
_SIGTERM_CODE = _SIGNALLED + 15


def cause_of(pods: list[Pod], *, life: Life) -> Failure:
    """The failure of the pod that has most to say. A lost peer or an interruption is no cause while another pod has one."""
    pod = min(pods, key=lambda pod: (_rank(pod), pod.index))
    return _describe(pod, life=life)


def has_only_lost_its_peer(pod: Pod) -> bool:
    """Whether all that its end says is that another worker had gone."""
    return pod.record is not None and pod.record.exit_code == ExitCode.PEER_LOST and _rank(pod) == _LEAST


def is_verdict(pod: Pod) -> bool:
    """Whether the model was judged: nothing that befell another worker afterwards changes that."""
    return pod.record is not None and pod.record.exit_code == ExitCode.NOT_ACCEPTED


def _rank(pod: Pod) -> int:
    """How telling a pod's evidence is; smaller is better."""
    record = pod.record
    if is_verdict(pod):
        return 0
    if pod.terminated_reason == "OOMKilled":
        return 1
    if record is not None and record.exit_code not in _SYMPTOMS:
        return 2
    if pod.disruption:
        return 3
    if record is None and pod.exit_code not in (None, 0, _SIGTERM_CODE, *_SYMPTOMS):
        return 4
    if record is not None and record.exit_code == ExitCode.INTERRUPTED:
        return 5
    return _LEAST


def _describe(pod: Pod, *, life: Life) -> Failure:
    found = Failure(
        cause=Cause.POD_FAILED,
        attempt=life.attempt,
        worker=pod.index,
        node=pod.node or None,
        exit_code=pod.exit_code,
    )
    record = pod.record
    if record is not None:
        found = changed(found, rank=record.rank, signal=record.signal, log_tail=record.log_tail)
    if pod.terminated_reason == "OOMKilled" and not is_verdict(pod):
        return changed(found, **_out_of_memory(pod, life=life))
    if record is not None and record.cause and not _lost_its_peer_to_a_disruption(pod):
        cause = _interrupted_by(pod) if record.cause == Cause.INTERRUPTED else None
        return changed(found, cause=cause or record.cause, message=record.message, hint=record.hint)
    if pod.disruption:
        return changed(found, **_disrupted(pod))
    if pod.terminated_reason == "Evicted":
        return changed(found, **_over_its_share(pod))
    return changed(found, **_wordless(pod))


def _lost_its_peer_to_a_disruption(pod: Pod) -> bool:
    """Whether it was told to go, as its peer was, and saw the peer go first."""
    return bool(pod.disruption) and pod.record is not None and pod.record.exit_code == ExitCode.PEER_LOST


def _wordless(pod: Pod) -> FailureFields:
    """A container that left no final record; an exit code above 128 is 128 plus the signal that ended it."""
    reason = f" ({pod.terminated_reason})" if pod.terminated_reason not in ("", "Error") else ""
    left = f"Worker {pod.index} ended with exit code {pod.exit_code}{reason} and left no final record."
    if pod.exit_code is None or pod.exit_code <= _SIGNALLED:
        return {"message": left}
    number = pod.exit_code - _SIGNALLED
    hint = "Something outside of the pod killed the container: the log of its node's kubelet and kernel may say what."
    return {"message": f"{left} Its container was ended by signal {number}.", "signal": number, "hint": hint}


def _out_of_memory(pod: Pod, *, life: Life) -> FailureFields:
    limit = life.run.spec.workers.resources.limits.memory
    rank = pod.index * life.run.spec.workers.ranks_per_worker
    if pod.record is not None and pod.record.rank is not None:
        rank = pod.record.rank
    return {
        "cause": Cause.OUT_OF_MEMORY,
        "rank": rank,
        "message": f"Worker {pod.index} used more memory than its limit" + (f" of {limit}." if limit else "."),
        "hint": f"Raise spec.workers.resources.limits.memory{f' (now {limit})' if limit else ''}, or lower "
        "spec.training.batchSize.",
    }


def _interrupted_by(pod: Pod) -> Cause | None:
    """A worker that was told to stop knows that it was, but not by whom; the pod's condition does, if anything."""
    return _DISRUPTION_CAUSES.get(pod.disruption)


def _over_its_share(pod: Pod) -> FailureFields:
    """The kubelet evicts a pod that uses more of the node's disk than it may, and says of what."""
    words = pod.message or "the pod used more than its share of a resource of the node."
    fills = any(word in words.lower() for word in ("ephemeral", "emptydir", "local storage"))
    hint = "Raise the size of what it names, spec.workers.scratch for example, or write less to it." if fills else ""
    return {"message": f"The kubelet evicted worker {pod.index}: {words}", "hint": hint}


def _disrupted(pod: Pod) -> FailureFields:
    words = f" {pod.message}" if pod.message else ""
    return {
        "cause": _DISRUPTION_CAUSES.get(pod.disruption, Cause.EVICTED),
        "message": f"Worker {pod.index} was removed from its node: {pod.disruption}.{words}",
    }
