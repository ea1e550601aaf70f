"""Every name, label and constant string of the operator's objects, in one place."""

GROUP_PREFIX = "trainingrun.dev"

RUN_LABEL = f"{GROUP_PREFIX}/run"
UID_LABEL = f"{GROUP_PREFIX}/run-uid"
ATTEMPT_LABEL = f"{GROUP_PREFIX}/attempt"
INDEX_LABEL = "batch.kubernetes.io/job-completion-index"
NAME_LABEL = "app.kubernetes.io/name"
MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"

OPERATOR_NAME = "trainingrun-operator"
TRAINER_NAME = "trainingrun-trainer"
CONTAINER = "trainer"


def child_name(run: str, attempt: int) -> str:
    """Name of all objects of one attempt: the attempt's number is in it, so none is ever used twice."""
    return f"{run}-{attempt}"
