"""How long may pods live on after their trainers? For a moment, while the kubelet takes them down, or else for ever.

A container that an admission webhook has added can keep a pod alive. Pods that end by themselves can still be read afterwards.
"""

from trainingrun_operator.life import Life


def seconds_until_pods_are_down(life: Life) -> float:
    """How much longer the pods may take to end after their trainers; nothing when all have."""
    if not any(pod.is_live for pod in life.gang.pods):
        return 0.0
    ended = max((moment for pod in life.gang.pods if (moment := life.clocks.ended(pod)) is not None), default=life.now)
    return max(0.0, life.pace.pod_end_seconds - (life.now - ended).total_seconds())
