"""One cause for many symptoms: the most telling evidence of all failed pods."""

from trainingrun.api import Failure
from trainingrun.contract import Cause, ExitCode
from trainingrun_operator.changes import FailureFields, changed
from trainingrun_operator.life import Life
from trainingrun_operator.model import Pod
from trainingrun_operator.policies.hindrance import sentences, shortened
from trainingrun_operator.policies.kubelet import has_used_too_much_disk, told_by_kubelet

_DISRUPTION_CAUSES = {
    "PreemptionByScheduler": Cause.PREEMPTED,
    "EvictionByEvictionAPI": Cause.EVICTED,
    "DeletionByTaintManager": Cause.NODE_LOST,
    "DeletionByPodGC": Cause.NODE_LOST,
    "TerminationByKubelet": Cause.EVICTED,
}
_SYMPTOMS = {ExitCode.PEER_LOST, ExitCode.INTERRUPTED}
_LEAST = 6
_FOREIGN = "exec format error"
"""What a kernel says of a program that is made for another kind of processor."""
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
    if pod.terminated_reason == "OOMKilled" or has_used_too_much_disk(pod):
        return 1
    if record is not None and record.exit_code not in _SYMPTOMS:
        return 2
    if pod.disruption or pod.reason:
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
    return changed(found, **_words(pod, life=life))


def _words(pod: Pod, *, life: Life) -> FailureFields:
    """Cause, message and what else is known of it: the first that knows more than those after it."""
    record, told = pod.record, told_by_kubelet(pod)
    if pod.terminated_reason == "OOMKilled" and not is_verdict(pod):
        return _out_of_memory(pod, life=life)
    if told is not None and has_used_too_much_disk(pod) and not is_verdict(pod):
        return told
    if record is not None and record.cause and not _lost_its_peer_to_a_disruption(pod):
        words = record.message or f"Worker {pod.index} said that the cause is {record.cause}, and no more."
        said: FailureFields = {"cause": record.cause, "message": words, "hint": record.hint}
        return _interrupted_by(pod, said) if record.cause == Cause.INTERRUPTED else said
    if pod.disruption:
        return _disrupted(pod)
    return told or _wordless(pod)


def _lost_its_peer_to_a_disruption(pod: Pod) -> bool:
    """Whether it was told to go, as its peer was, and saw the peer go first."""
    return bool(pod.disruption) and pod.record is not None and pod.record.exit_code == ExitCode.PEER_LOST


def _wordless(pod: Pod) -> FailureFields:
    """A container that left no final record; an exit code above 128 is 128 plus the signal that ended it."""
    if pod.exit_code is None:
        return {"message": f"The pod of worker {pod.index} has failed, and nothing says why."}
    reason = f" ({pod.terminated_reason})" if pod.terminated_reason not in ("", "Error") else ""
    left = f"Worker {pod.index} ended with exit code {pod.exit_code}{reason} and left no final record."
    if pod.exit_code > _SIGNALLED:
        number = pod.exit_code - _SIGNALLED
        hint = "Something outside of the pod killed the container: the log of its node's kubelet and kernel may say what."
        words = f"{left} Its container was ended by signal {number}."
        return {"message": words, "signal": number, "hint": hint, "log_tail": pod.last_words}
    last = next((line for line in reversed(pod.last_words.splitlines()) if line.strip()), "")
    if not last:
        return {"message": left}
    words = f"{left} Its last words: {shortened(last)}"
    return {"message": words, "hint": _foreign(pod) if _FOREIGN in last else "", "log_tail": pod.last_words}


def _foreign(pod: Pod) -> str:
    hint = f"The image is for other processors than those of node {pod.node}: build spec.image for them, or choose nodes with "
    return f"{hint}spec.workers.nodeSelector, by kubernetes.io/arch."


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


def _interrupted_by(pod: Pod, said: FailureFields) -> FailureFields:
    """A worker that was told to stop knows that it was, but not by whom; the pod's condition and the kubelet do."""
    cause = _DISRUPTION_CAUSES.get(pod.disruption, Cause.INTERRUPTED)
    return {**said, "cause": cause, "message": sentences(said["message"], shortened(pod.message))}


def _disrupted(pod: Pod) -> FailureFields:
    words = f" {pod.message}" if pod.message else ""
    return {
        "cause": _DISRUPTION_CAUSES.get(pod.disruption, Cause.EVICTED),
        "message": f"Worker {pod.index} was removed from its node: {pod.disruption}.{words}",
    }
