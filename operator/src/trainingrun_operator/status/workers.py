"""How many workers there are, and how many there should be."""

from trainingrun_operator.life import Life


def ready_workers(life: Life) -> int:
    """Workers of the current attempt that are ready or have succeeded."""
    return sum(pod.counts_as_ready for pod in life.gang.pods)


def wanted_workers(life: Life) -> int:
    """Workers of the current attempt, or of the next one."""
    resolved = life.status.resolved
    return resolved.replicas if resolved is not None else life.run.spec.workers.replicas
