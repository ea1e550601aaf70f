"""What has been found, and the note of it. Pure."""

import json
from dataclasses import asdict, dataclass, replace

from trainingrun.api import Choice

BATCH_SIZE = "training.batchSize"
LEARNING_RATE = "training.optimizer.learningRate"


@dataclass(frozen=True)
class Found:
    """A value, why it was taken, and all that was measured: rows of equal columns."""

    name: str
    value: str
    reason: str
    measured: tuple[dict[str, float], ...] = ()

    @property
    def choice(self) -> Choice:
        """What the status says of it."""
        return Choice(name=self.name, value=self.value, reason=self.reason)


@dataclass(frozen=True)
class Note:
    """What earlier attempts of the round have found, and what the last one was trying when it ended."""

    found: tuple[Found, ...] = ()
    trying: int | None = None
    """A batch size that was begun to be measured. Who finds this knows that the attempt did not survive it."""
    measured: tuple[dict[str, float], ...] = ()
    """Of the batch sizes before."""

    def get(self, name: str) -> Found | None:
        """The value of this name, if it has been found."""
        return next((found for found in self.found if found.name == name), None)

    def adding(self, found: Found) -> "Note":
        """The note with one more value."""
        return replace(self, found=(*self.found, found), trying=None, measured=())

    def encode(self) -> bytes:
        """As JSON."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def decode(cls, text: bytes) -> "Note":
        """The inverse of `encode`; of no text an empty note."""
        if not text:
            return cls()
        parsed = json.loads(text)
        found = tuple(Found(**{**each, "measured": tuple(each["measured"])}) for each in parsed["found"])
        return cls(found=found, trying=parsed["trying"], measured=tuple(parsed["measured"]))
