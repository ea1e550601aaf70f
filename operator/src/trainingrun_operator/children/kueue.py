"""What Kueue reads on a Job and on its pods: https://kueue.sigs.k8s.io/docs/tasks/run/jobs/.

The labels of the run are the Job's, so that queue, priority class and longest time are said where the user is. The annotations
that ask for a topology belong to the pods. The number of workers is fixed, so what would let Kueue start fewer is left out.
"""

from trainingrun.api import TrainingRun
from trainingrun_operator import names
from trainingrun_operator.model import Manifest

_PREFIX = "kueue.x-k8s.io/"
_POD_SET_PREFIX = f"{_PREFIX}podset-"


def is_queued(run: TrainingRun) -> bool:
    """Whether the run's Jobs wait in a queue."""
    return names.QUEUE_LABEL in run.metadata.labels


def queue_labels(run: TrainingRun) -> dict[str, str]:
    """Labels for the Job."""
    return {name: value for name, value in run.metadata.labels.items() if name.startswith(_PREFIX)}


def topology_annotations(run: TrainingRun) -> dict[str, str]:
    """Annotations for the pods."""
    return {name: value for name, value in run.metadata.annotations.items() if name.startswith(_POD_SET_PREFIX)}


def held_back(run: TrainingRun) -> Manifest:
    """Fields of the Job's spec: it is created suspended, and from then on Kueue alone says when it runs."""
    return {"suspend": True} if is_queued(run) else {}
