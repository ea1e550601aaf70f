"""The state of training on the output, so that another attempt goes on exactly where this one was.

A checkpoint is two files: the arrays (`.npz`), and a JSON beside them, written last, with their digest and everything that
is not an array. A torn or damaged checkpoint is recognised by its digest, and an older one is used; so is one of another
format, which an image of another release has written.
"""

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainingrun_trainer.output.place import Place, UnreadableError

Arrays = list[NDArray[Any]]

FORMAT = 2
"""Of these files. 1, which said nothing of itself, did not say what a checkpoint was made with."""

_NAME = re.compile(r"^checkpoint-(\d{8})-(\d{8,})\.json$")
"""Finished epochs, and samples of the current one that all ranks together have trained on."""
_FILE = re.compile(r"^\.?checkpoint-")
"""Of any file of a checkpoint, whole or torn."""


@dataclass
class LoopState:
    """Where the training loop is; with the arrays of a checkpoint it is all that the loop needs to go on."""

    epoch: int = 0
    """Finished epochs."""
    skipped: int = 0
    """Samples of the current epoch that a gang of another size has trained on."""
    step: int = 0
    """Finished steps of the current epoch, after those samples."""
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
class MadeWith:
    """What a state has been trained with, which another attempt may find changed."""

    data: str = ""
    """Digest of the data and of what is held out of it: `Split.sha256`."""
    ranks: int = 1
    step_samples: int = 1
    """Samples of one step of all ranks."""


@dataclass(frozen=True)
class Checkpoint:
    """A state together with the weights, the optimizer's variables and the best weights so far."""

    state: LoopState
    weights: Arrays
    optimizer: Arrays
    best: Arrays
    made_with: MadeWith = MadeWith()

    @property
    def samples(self) -> int:
        """Samples of the current epoch that are done; more than there are, by less than a step, when all are."""
        return self.state.skipped + self.state.step * self.made_with.step_samples

    def state_for(self, gang: MadeWith, *, samples: int) -> LoopState:
        """The state from which this gang goes on, in epochs of so many samples.

        Where a step of it has as many samples as before, it takes the same steps. Any other begins with the first sample that
        has not been trained on: the order of an epoch is the same for all.
        """
        if self.state.step == 0 or gang.step_samples == self.made_with.step_samples:
            return self.state
        return replace(self.state, skipped=min(samples, self.samples), step=0)

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
        note = {
            "format": FORMAT,
            "sha256": hashlib.sha256(arrays).hexdigest(),
            "madeWith": asdict(self.made_with),
            "samples": self.samples,
            "state": asdict(self.state),
        }
        return arrays, json.dumps(note).encode()

    @classmethod
    def decode(cls, arrays: bytes, note: bytes) -> "Checkpoint":
        """The inverse of `encode`. Raises ValueError when the two do not belong together, or are of another format."""
        parsed = json.loads(note)
        if parsed.get("format", 1) != FORMAT:
            raise ValueError(f"it is of format {parsed.get('format', 1)}, and this image reads {FORMAT}")
        if hashlib.sha256(arrays).hexdigest() != parsed["sha256"]:
            raise ValueError("the digest differs")
        with np.load(io.BytesIO(arrays), allow_pickle=False) as archive:
            groups: dict[str, Arrays] = {"weights": [], "optimizer": [], "best": []}
            for name in sorted(archive.files):
                groups[name.rpartition("-")[0]].append(archive[name])
        return cls(state=LoopState(**parsed["state"]), **groups, made_with=MadeWith(**parsed["madeWith"]))


def save(checkpoint: Checkpoint, *, folder: Place, keep: int) -> int:
    """Write a checkpoint, and remove all but the newest `keep` of this folder; say how many are there.

    Raises TrainerError (OutputFailed) when the output is full or cannot be written.
    """
    arrays, note = checkpoint.encode()
    stem = f"checkpoint-{checkpoint.state.epoch:08d}-{checkpoint.samples:08d}"
    folder.join(f"{stem}.npz").write(arrays)
    folder.join(f"{stem}.json").write(note)
    return prune(folder, keep=keep)


def prune(folder: Place, *, keep: int) -> int:
    """Remove all but the newest `keep` checkpoints of an attempt's folder, and what is left of torn ones; say how many stay.

    Raises TrainerError (OutputFailed).
    """
    names = folder.names()
    kept = _stems_of(names)[-keep:] if keep > 0 else []
    # The note goes first: without it the arrays are no checkpoint.
    for name in sorted((name for name in names if _FILE.match(name)), key=lambda name: not name.endswith(".json")):
        if name.partition(".")[0] not in kept:
            folder.join(name).remove()
    return len(kept)


def newest(round_folder: Place, *, before: int) -> tuple[bytes, bytes] | None:
    """Files of the checkpoint that got furthest, of all attempts of the round with a number up to `before`.

    Damaged ones are passed over with a line in the log. Raises TrainerError (OutputFailed) when the output does not answer.
    """
    attempts = [name for name in round_folder.names() if name.isdigit() and int(name) <= before]
    found = [(stem, int(attempt)) for attempt in attempts for stem in _stems_of(round_folder.join(attempt).names())]
    for stem, attempt in sorted(found, key=lambda each: (_position(each[0]), each[1]), reverse=True):
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


def _stems_of(names: Iterable[str]) -> list[str]:
    """Stems of the complete checkpoints among the files of a folder, the oldest first."""
    return sorted((name.removesuffix(".json") for name in names if _NAME.match(name)), key=_position)


def _position(stem: str) -> tuple[int, int]:
    """Epoch and samples."""
    _, epoch, samples = stem.split("-")
    return int(epoch), int(samples)
