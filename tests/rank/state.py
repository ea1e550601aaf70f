"""The state of a played rank on the output, in files like those of `trainingrun_trainer.checkpoint`, without arrays."""

import hashlib
import json
import re
from dataclasses import asdict, dataclass, field

from trainingrun_trainer.output.place import Place

_NO_ARRAYS = b"PK\x05\x06" + bytes(18)
"""An archive that has none, as NumPy reads it."""
_NAME = re.compile(r"^checkpoint-(\d{8})-(\d{8})\.json$")


@dataclass
class State:
    """Where the rank is: those fields of `checkpoint.LoopState` that it has a use for."""

    epoch: int = 0
    """Finished epochs."""
    step: int = 0
    """Finished steps of the current epoch."""
    history: list[dict[str, float]] = field(default_factory=list)
    """Metrics of every finished epoch."""

    def end_epoch(self) -> dict[str, float]:
        """Count an epoch; returns its metrics, which get better and mean nothing."""
        self.epoch, self.step = self.epoch + 1, 0
        loss = 1 / (1 + self.epoch)
        metrics = {"loss": loss, "accuracy": 1 - loss, "val_loss": loss, "val_accuracy": 1 - loss}
        self.history.append(metrics)
        return metrics

    def encode(self) -> bytes:
        """As JSON."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def decode(cls, encoded: bytes) -> "State":
        """The inverse of `encode`."""
        return cls(**json.loads(encoded))


def save(state: State, *, folder: Place, keep: int, ballast: int) -> None:
    """Write a checkpoint with so many bytes that nobody needs, and remove all but the newest `keep` of this folder.

    Raises TrainerError (OutputFailed).
    """
    stem = f"checkpoint-{state.epoch:08d}-{state.step:08d}"
    folder.join(f"{stem}.npz").write(_NO_ARRAYS)
    note = {
        "format": 2,
        "sha256": hashlib.sha256(_NO_ARRAYS).hexdigest(),
        "madeWith": {},
        "samples": state.step,
        "state": asdict(state),
        "ballast": "." * ballast,
    }
    folder.join(f"{stem}.json").write(json.dumps(note).encode())
    for outdated in _stems(folder)[:-keep]:
        folder.join(f"{outdated}.json").remove()
        folder.join(f"{outdated}.npz").remove()


def newest(round_folder: Place, *, before: int) -> State | None:
    """That which got furthest, of all attempts of the round with a number up to `before`."""
    attempts = [name for name in round_folder.names() if name.isdigit() and int(name) <= before]
    found = [(stem, int(attempt)) for attempt in attempts for stem in _stems(round_folder.join(attempt))]
    if not found:
        return None
    stem, attempt = max(found)
    folder = round_folder.join(str(attempt))
    print(f"going on from checkpoint {folder.join(stem).uri}")
    kept = json.loads(folder.join(f"{stem}.json").read())["state"]
    return State(epoch=kept["epoch"], step=kept["step"], history=kept["history"])


def _stems(folder: Place) -> list[str]:
    return sorted(name.removesuffix(".json") for name in folder.names() if _NAME.match(name))
