"""Every name, label and constant string of the operator's objects, in one place."""

GROUP_PREFIX = "trainingrun.dev"

RUN_LABEL = f"{GROUP_PREFIX}/run"
UID_LABEL = f"{GROUP_PREFIX}/run-uid"
ATTEMPT_LABEL = f"{GROUP_PREFIX}/attempt"
INDEX_LABEL = "batch.kubernetes.io/job-completion-index"
NAME_LABEL = "app.kubernetes.io/name"
MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"
QUEUE_LABEL = "kueue.x-k8s.io/queue-name"
"""The LocalQueue that the run's Jobs wait in; its user sets it."""
WORKLOAD_JOB_LABEL = "kueue.x-k8s.io/job-uid"
"""The Job that a Workload of Kueue stands for."""

OPERATOR_NAME = "trainingrun-operator"
TRAINER_NAME = "trainingrun-trainer"
CONTAINER = "trainer"


def child_name(run: str, attempt: int) -> str:
    """Name of the objects of one attempt, but for its ConfigMap and the Service of a TPU slice's hosts.

    The attempt's number is in it, so no run uses one twice.
    """
    return f"{run}-{attempt}"


def hosts_name(run: str, attempt: int) -> str:
    """Name of the Service that gives the workers of a TPU slice their host names."""
    return f"{child_name(run, attempt)}-hosts"


def config_name(run: str, attempt: int, *, uid: str) -> str:
    """Name of the ConfigMap of one attempt: also another one in a run that was deleted and created again.

    While any pod of a node refers to an immutable ConfigMap, the kubelet does not read another one of that name, and gives new
    pods the old content (seen with 1.37.2). The new run would train as the old one was told to.
    """
    return f"{child_name(run, attempt)}-{uid[:8]}"
