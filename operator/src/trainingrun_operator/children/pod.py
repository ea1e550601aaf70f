"""The pod of a worker. It meets the Pod Security level `restricted`, and no field of the API can make it otherwise."""

from trainingrun.api import Resolved, SecurityContext, TrainingRun
from trainingrun_operator.children.accelerator import equipment
from trainingrun_operator.children.container import container
from trainingrun_operator.children.fields import given
from trainingrun_operator.children.kueue import topology_annotations
from trainingrun_operator.children.metadata import labels
from trainingrun_operator.children.placement import placement
from trainingrun_operator.children.volumes import pod_volumes
from trainingrun_operator.config import OperatorConfig
from trainingrun_operator.model import Manifest

_NO_MESH_LABELS = {"sidecar.istio.io/inject": "false", "istio.io/dataplane-mode": "none"}
_NO_MESH_ANNOTATIONS = {"linkerd.io/inject": "disabled"}
"""A proxy beside the trainer would outlive it, so that the Job never ends, and would take Horovod's connections for HTTP."""


def pod_template(
    run: TrainingRun, *, attempt: int, resolved: Resolved, same_node: bool, token: str, config: OperatorConfig
) -> Manifest:
    """The template that all workers of an attempt share; the Job tells each its index."""
    workers, needs = run.spec.workers, equipment(run, attempt=attempt)
    spec: Manifest = {
        "restartPolicy": "Never",
        "serviceAccountName": workers.service_account_name,
        # Whatever the account may do, the trainer has no use for it.
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": workers.termination_grace_period_seconds,
        "runtimeClassName": workers.runtime_class_name,
        "imagePullSecrets": [{"name": secret.name} for secret in workers.image_pull_secrets],
        "securityContext": _security_context(workers.security_context, user=config.worker_user),
        "subdomain": needs.subdomain,
        **placement(run, attempt=attempt, equipment=needs, same_node=same_node, config=config),
        "containers": [container(run, resolved=resolved, equipment=needs, token=token)],
        "volumes": pod_volumes(run, attempt=attempt, equipment=needs),
    }
    marks = {
        "labels": {**workers.labels, **labels(run, attempt=attempt), **_NO_MESH_LABELS},
        "annotations": {**workers.annotations, **topology_annotations(run), **_NO_MESH_ANNOTATIONS},
    }
    return {"metadata": marks, "spec": given(spec)}


def _security_context(asked: SecurityContext, *, user: int | None) -> Manifest:
    """What `restricted` needs, and who the processes are: as the run says, else `user`, else as the cluster decides."""
    user = user if asked.run_as_user is None else asked.run_as_user
    group = user if asked.run_as_group is None else asked.run_as_group
    volumes = group if asked.fs_group is None else asked.fs_group
    fields: Manifest = {
        "runAsNonRoot": True,
        "runAsUser": user,
        "runAsGroup": group,
        "fsGroup": volumes,
        "fsGroupChangePolicy": "OnRootMismatch" if volumes is not None else None,
        "supplementalGroups": list(asked.supplemental_groups),
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    return given(fields)
