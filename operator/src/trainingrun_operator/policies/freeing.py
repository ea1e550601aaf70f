"""What does a run need no more once it has ended? Its Services, which hold addresses and quota, and its NetworkPolicies.

They go together with the end, before it is written: whoever finds the run without them and without its end comes to the same
end, so a crash between the two changes nothing, and no finished run needs another look. Where pods live on, or a queue may make
new ones, they go when that is over (`policies.finished`): a NetworkPolicy keeps others out as long as a pod may run. Jobs, pods
and ConfigMaps stay, for their logs, until their time to live is over.
"""

from dataclasses import replace

from trainingrun_operator.decision import Deletion
from trainingrun_operator.life import Life
from trainingrun_operator.step import Step, deletions

_KINDS = ("Service", "NetworkPolicy")


def freeing(life: Life, step: Step) -> Step:
    """The step, and with the end of a run what it needs no more."""
    return replace(step, delete=(*step.delete, *freed(life))) if step.state.is_final and not life.leaves_something else step


def freed(life: Life) -> tuple[Deletion, ...]:
    """What a run that has ended needs no more; nothing while a pod may run, also one on a node that does not answer."""
    if any(pod.is_live for pod in life.gang.pods):
        return ()
    return deletions(child for child in life.children.own if child.kind in _KINDS)
