"""The next command for every state, cause and reason: what somebody types who wants the run to go on.

The words are those of `trainingrun.contract.Cause` and of the operator's states and reasons, and a newer operator may add some.
"""

import re
from collections.abc import Callable, Mapping

from trainingrun.api import TrainingRun

PLUGIN = "kubectl trainingrun"

Step = Callable[[TrainingRun], str]


def commands(word: str, run: TrainingRun) -> tuple[str, ...]:
    """Commands for a cause, a reason or a state; for a word that is not known, how to look further."""
    return tuple(step(run) for step in STEPS.get(word, (_logs, _describe)))


def is_known(word: str) -> bool:
    """Whether the word has commands of its own."""
    return word in STEPS


def _of(text: str) -> Step:
    return lambda run: text.format(
        plugin=PLUGIN,
        name=run.metadata.name,
        scope=_scope(run),
        namespace=run.metadata.namespace or "default",
        image=run.spec.image or "IMAGE",
        preset=run.spec.preset or "PRESET",
        claim=run.spec.output.persistent_volume_claim.claim_name if run.spec.output.persistent_volume_claim else "CLAIM",
        node=(run.status.failure.node if run.status.failure is not None else None) or "NODE",
    )


def _scope(run: TrainingRun) -> str:
    """The option that names the run's namespace, where it is not the default one."""
    namespace = run.metadata.namespace
    return f" -n {namespace}" if namespace and namespace != "default" else ""


def _logs(run: TrainingRun) -> str:
    failure = run.status.failure
    worker = f" --worker {failure.worker}" if failure is not None and failure.worker else ""
    return f"{PLUGIN} logs {run.metadata.name}{_scope(run)}{worker}"


def _more_memory(run: TrainingRun) -> str:
    limit = getattr(run.spec.workers.resources.limits, "memory", None)
    found = re.fullmatch(r"([0-9]+)([A-Za-z]*)", str(limit or ""))
    more = f"{2 * int(found[1])}{found[2]}" if found is not None else "8Gi"
    return f"{PLUGIN} rerun {run.metadata.name}{_scope(run)} --set workers.resources.limits.memory={more}"


def _lower_rate(run: TrainingRun) -> str:
    try:
        lower = f"{float(run.spec.training.optimizer.learning_rate) / 10:g}"
    except (TypeError, ValueError):
        lower = "0.0001"
    return f"{PLUGIN} rerun {run.metadata.name}{_scope(run)} --set training.optimizer.learningRate={lower}"


_describe = _of("kubectl describe trainingrun {name} -n {namespace}")
_get = _of("{plugin} get {name}{scope}")
_watch = _of("{plugin} watch {name}{scope}")
_rerun = _of("{plugin} rerun {name}{scope}")
_rerun_changed = _of("{plugin} rerun {name}{scope} --set FIELD=VALUE")
_resume = _of("{plugin} resume {name}{scope}")
_report = _of("{plugin} report {name}{scope} --open")
_doctor = _of("{plugin} doctor{scope}")
_presets = _of("{plugin} presets")
_quota = _of("kubectl describe resourcequota -n {namespace}")
_claims = _of("kubectl get persistentvolumeclaims -n {namespace}")
_secrets = _of("kubectl get secrets -n {namespace}")
_nodes = _of("kubectl describe nodes")
_node = _of("kubectl describe node {node}")
_pods = _of("kubectl get pods -n {namespace} -l trainingrun.dev/run={name} -o wide")
_pod_events = _of("kubectl events -n {namespace} --types=Warning")
_operator_log = _of("kubectl logs -n trainingrun-system deployment/trainingrun-operator")
_upload = _of("{plugin} cp ./DATA pvc/CLAIM:PATH{scope}")
_less = _of("{plugin} rerun {name}{scope} --set workers.replicas=1")
_longer_start = _of("{plugin} rerun {name}{scope} --set recovery.startTimeoutSeconds=1800")
_other_image = _of("{plugin} rerun {name}{scope} --set image=IMAGE")
_queues = _of("kubectl get localqueues,workloads -n {namespace}")

STEPS: Mapping[str, tuple[Step, ...]] = {
    # States, where nothing says more.
    "New": (_doctor,),
    "Waiting": (_describe,),
    "Queued": (_queues,),
    "Starting": (_watch, _pods),
    "Running": (_watch, _logs),
    "Stopping": (_watch,),
    "Restarting": (_watch, _logs),
    "Suspended": (_resume,),
    "Stalled": (_describe,),
    "Succeeded": (_report,),
    "Failed": (_logs, _rerun_changed),
    # What ends an attempt, or keeps it from starting.
    "BadConfig": (_rerun_changed,),
    "BadData": (_upload, _rerun_changed),
    "NotAccepted": (_report, _rerun_changed),
    "TuningFailed": (_logs, _rerun_changed),
    "DeadlineExceeded": (_of("{plugin} rerun {name}{scope} --set activeDeadlineSeconds=SECONDS"),),
    "Refused": (_rerun_changed,),
    "OOMKilled": (_more_memory,),
    "StorageExceeded": (_of("{plugin} rerun {name}{scope} --set workers.scratch=20Gi"),),
    "RankKilled": (_logs, _pod_events),
    "RankFailed": (_logs,),
    "WeightsDiverged": (_logs, _other_image),
    "NotANumber": (_lower_rate,),
    "Hang": (_of("{plugin} artifacts {name}{scope} --logs"), _rerun),
    "DataUnavailable": (_secrets, _logs),
    "OutputFailed": (_claims, _logs),
    "Superseded": (_watch,),
    "RendezvousFailed": (_pods, _of("kubectl get networkpolicies -n {namespace}")),
    "InternalError": (_logs,),
    "PodFailed": (_logs, _pods),
    "ResultLost": (_watch,),
    "JobDeleted": (_watch,),
    "PeerLost": (_logs, _pods),
    "Interrupted": (_watch, _pods),
    "PodDeleted": (_watch, _pod_events),
    "Preempted": (_watch, _pods),
    "Evicted": (_node, _pods),
    "PodRejected": (_node,),
    "NodeLost": (_node,),
    "QuotaExceeded": (_quota, _less),
    "FailedCreate": (_pod_events,),
    "ClaimNotBound": (_claims, _of("kubectl get storageclasses")),
    "Unschedulable": (_nodes, _less),
    "FailedMount": (_pod_events, _secrets),
    "FailedAttachVolume": (_pod_events, _pods),
    "FailedCreatePodSandBox": (_node, _pod_events),
    "ImagePull": (_other_image, _pod_events),
    "ContainerCreate": (_pod_events, _secrets),
    "StartTimeout": (_logs, _longer_start),
    # What a run waits for.
    "ClaimNotFound": (_claims,),
    "ClaimNotShareable": (_less, _claims),
    "ConfigMapNotFound": (_of("kubectl get configmaps -n {namespace}"),),
    "SecretNotFound": (_secrets,),
    "PresetNotFound": (_presets,),
    "PresetUnreadable": (_doctor,),
    "PresetOverstepped": (_presets, _rerun_changed),
    "PresetConflict": (_of("kubectl get trainingpreset {preset} -o yaml"), _rerun_changed),
    "InvalidValue": (_rerun_changed,),
    "ImageNotGiven": (_other_image,),
    "TrainerTooOld": (_other_image,),
    "NameConflict": (_of("kubectl get all,configmaps -n {namespace}"),),
    "WaitForCleanup": (_pods,),
    "Forbidden": (_quota, _doctor),
    "NoKueue": (_of("kubectl label trainingrun {name} -n {namespace} kueue.x-k8s.io/queue-name-"),),
    "TriggeredScaleUp": (_watch,),
    "Pulling": (_watch,),
    "WaitingForNode": (_nodes, _pods),
    "OperatorTooOld": (_of("{plugin} version{scope}"),),
    "Defect": (_operator_log, _rerun),
}
