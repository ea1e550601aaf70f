"""What the operator sees happen to objects: moments from which it counts time, and what others have said of them."""

from dataclasses import dataclass
from enum import StrEnum


class What(StrEnum):
    """What becomes of an object, from which time is counted."""

    LET_GO = "LetGo"
    """A Job that may make its pods: no queue holds it back."""
    PLACED = "Placed"
    STARTED = "Started"
    ENDED = "Ended"
    DELETED = "Deleted"
    """A pod that is being deleted."""


@dataclass(frozen=True)
class Sight:
    """Something that the operator sees about an object."""

    uid: str
    what: What


@dataclass(frozen=True)
class Notice:
    """A Kubernetes Event about an object of the run: what a controller, a scheduler or a kubelet has said."""

    about: str
    """UID of the object."""
    reason: str
    message: str
