"""The Indexed Job of an attempt: one pod per worker, all at once, none ever replaced.

With `backoffLimitPerIndex: 0` and `maxFailedIndexes` as large as the gang, the Job controller removes no pod when one fails:
the operator reads why, and decides itself. (With `backoffLimit: 0` the survivors and their messages are gone after two
seconds.)
"""

from trainingrun.api import Resolved, TrainingRun
from trainingrun_operator.children.kueue import held_back, queue_labels
from trainingrun_operator.children.metadata import metadata
from trainingrun_operator.children.pod import pod_template
from trainingrun_operator.children.token import attempt_token
from trainingrun_operator.config import OperatorConfig
from trainingrun_operator.model import Manifest


def job(run: TrainingRun, *, attempt: int, resolved: Resolved, same_node: bool, config: OperatorConfig) -> Manifest:
    """The Job of an attempt; `same_node` puts all workers on one node, for volumes that only one node can mount.

    Its pods share a secret that is derived from the operator's seed.
    """
    identity, token = metadata(run, attempt=attempt), attempt_token(run, attempt=attempt, seed=config.seed)
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {**identity, "labels": {**queue_labels(run), **identity["labels"]}},
        "spec": {
            "completionMode": "Indexed",
            "completions": resolved.replicas,
            "parallelism": resolved.replicas,
            "backoffLimitPerIndex": 0,
            "maxFailedIndexes": resolved.replicas,
            "podReplacementPolicy": "Failed",
            **held_back(run),
            "template": pod_template(run, attempt=attempt, resolved=resolved, same_node=same_node, token=token, config=config),
        },
    }
