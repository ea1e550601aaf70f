"""The state of training on the output, so that another attempt goes on exactly where this one was.

A checkpoint is two files: the arrays (`.npz`), and a JSON beside them, written last, with their digest and everything that
is not an array. A torn or damaged checkpoint is recognised by its digest, and an older one is used.
"""

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainingrun_trainer.output.place import Place, UnreadableError

Arrays = list[NDArray[Any]]

_NAME = re.compile(r"^checkpoint-(\d{8})-(\d{8})\.json$")


@dataclass
class LoopState:
    """Where the training loop is; with the arrays of a checkpoint it is all that the loop needs to go on."""

    epoch: int = 0
    """Finished epochs."""
    step: int = 0
    """Finished steps of the current epoch."""
    sums: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    """Of the current epoch on this gang: loss, correct answers, samples."""
    best: float | None = None
    """Best value of the early-stopping metric."""
    best_epoch: int = 0
    waited: int = 0
    """Epochs without improvement."""
    stopped: bool = False
    history: list[dict[str, float]] = field(default_factory=list)
    """Metrics of every finished epoch."""
    samples: list[list[int]] = field(default_factory=list)
    """Samples that each rank has trained on, per epoch."""
    notes: list[dict[str, Any]] = field(default_factory=list)
    """What is known of the finished epochs beside their metrics: see `stages.journal`."""


@dataclass(frozen=True)
class Checkpoint:
    """A state together with the weights, the optimizer's variables and the best weights so far."""

    state: LoopState
    weights: Arrays
    optimizer: Arrays
    best: Arrays

    def encode(self) -> tuple[bytes, bytes]:
        """The contents of the two files."""
        packed = io.BytesIO()
        groups = {"weights": self.weights, "optimizer": self.optimizer, "best": self.best}
        with zipfile.ZipFile(packed, "w") as archive:
            for group, members in groups.items():
                for index, array in enumerate(members):
                    with archive.open(f"{group}-{index:04d}.npy", "w") as entry:
                        np.lib.format.write_array(entry, array, allow_pickle=False)
        arrays = packed.getvalue()
        note = {"sha256": hashlib.sha256(arrays).hexdigest(), "state": asdict(self.state)}
        return arrays, json.dumps(note).encode()

    @classmethod
    def decode(cls, arrays: bytes, note: bytes) -> "Checkpoint":
        """The inverse of `encode`. Raises ValueError when the two do not belong together."""
        parsed = json.loads(note)
        if hashlib.sha256(arrays).hexdigest() != parsed["sha256"]:
            raise ValueError("the digest differs")
        with np.load(io.BytesIO(arrays), allow_pickle=False) as archive:
            groups: dict[str, Arrays] = {"weights": [], "optimizer": [], "best": []}
            for name in sorted(archive.files):
                groups[name.rpartition("-")[0]].append(archive[name])
        return cls(state=LoopState(**parsed["state"]), **groups)


def save(checkpoint: Checkpoint, *, folder: Place, keep: int) -> None:
    """Write a checkpoint, and remove all but the newest `keep` of this folder.

    Raises TrainerError (OutputFailed) when the output is full or cannot be written.
    """
    arrays, note = checkpoint.encode()
    stem = f"checkpoint-{checkpoint.state.epoch:08d}-{checkpoint.state.step:08d}"
    folder.join(f"{stem}.npz").write(arrays)
    folder.join(f"{stem}.json").write(note)
    for outdated in _stems(folder)[:-keep]:
        folder.join(f"{outdated}.json").remove()
        folder.join(f"{outdated}.npz").remove()


def newest(round_folder: Place, *, before: int) -> tuple[bytes, bytes] | None:
    """Files of the checkpoint that got furthest, of all attempts of the round with a number up to `before`.

    Damaged ones are passed over with a line in the log. Raises TrainerError (OutputFailed) when the output does not answer.
    """
    attempts = [name for name in round_folder.names() if name.isdigit() and int(name) <= before]
    found = [(stem, int(attempt)) for attempt in attempts for stem in _stems(round_folder.join(attempt))]
    for stem, attempt in sorted(found, reverse=True):
        folder = round_folder.join(str(attempt))
        try:
            arrays, note = folder.join(f"{stem}.npz").read(), folder.join(f"{stem}.json").read()
            Checkpoint.decode(arrays, note)
        except (FileNotFoundError, UnreadableError, ValueError, KeyError, TypeError) as damaged:
            folder.names()  # an output that is away is none without checkpoints: this raises
            print(f"checkpoint {folder.join(stem).uri} is passed over: {damaged}")
            continue
        print(f"going on from checkpoint {folder.join(stem).uri}")
        return arrays, note
    return None


def _stems(folder: Place) -> Sequence[str]:
    """Stems of the complete checkpoints of a folder, the oldest first."""
    return sorted(name.removesuffix(".json") for name in folder.names() if _NAME.match(name))
