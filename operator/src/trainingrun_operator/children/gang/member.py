"""What makes a pod a member of a PodGroup."""

from dataclasses import dataclass, field

from trainingrun_operator.model import Manifest


@dataclass(frozen=True)
class Member:
    """Additions to the template of the pods. A scheduler that the user names wins over ours."""

    labels: Manifest = field(default_factory=dict)
    annotations: Manifest = field(default_factory=dict)
    spec: Manifest = field(default_factory=dict)
