"""Name, labels and owner of every object of an attempt."""

from trainingrun.api import GROUP, KIND, VERSION, TrainingRun
from trainingrun_operator import names
from trainingrun_operator.model import Manifest


def metadata(run: TrainingRun, *, attempt: int) -> Manifest:
    """Metadata of a child: deterministic, and owned by the run, so that deleting the run deletes it.

    `blockOwnerDeletion` stays off: it would need a permission on the run's finalizers, and nothing here must outlive the run.
    """
    return {
        "name": names.child_name(run.metadata.name, attempt),
        "namespace": run.metadata.namespace,
        "labels": labels(run, attempt=attempt),
        "ownerReferences": [
            {
                "apiVersion": f"{GROUP}/{VERSION}",
                "kind": KIND,
                "name": run.metadata.name,
                "uid": run.metadata.uid,
                "controller": True,
                "blockOwnerDeletion": False,
            }
        ],
    }


def labels(run: TrainingRun, *, attempt: int) -> dict[str, str]:
    """Labels of all objects and pods of an attempt."""
    return {
        names.NAME_LABEL: names.TRAINER_NAME,
        names.MANAGED_BY_LABEL: names.OPERATOR_NAME,
        **selector(run, attempt=attempt),
    }


def selector(run: TrainingRun, *, attempt: int) -> dict[str, str]:
    """The labels that tell an attempt's pods from all others."""
    return {
        names.RUN_LABEL: run.metadata.name,
        names.UID_LABEL: run.metadata.uid,
        names.ATTEMPT_LABEL: str(attempt),
    }
