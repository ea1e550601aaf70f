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
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainingrun_trainer.output import output_failed, write_whole

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


def save(checkpoint: Checkpoint, *, folder: Path, keep: int) -> None:
    """Write a checkpoint, and remove all but the newest `keep` of this folder.

    Raises TrainerError (OutputFailed) when the output is full or cannot be written.
    """
    arrays, note = checkpoint.encode()
    stem = f"checkpoint-{checkpoint.state.epoch:08d}-{checkpoint.state.step:08d}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / f"{stem}.npz", arrays)
        write_whole(folder / f"{stem}.json", note)
        for outdated in _names(folder)[:-keep]:
            (folder / f"{outdated}.json").unlink(missing_ok=True)
            (folder / f"{outdated}.npz").unlink(missing_ok=True)
    except OSError as refused:
        raise output_failed(folder, refused) from refused


def newest(round_folder: Path, *, before: int) -> tuple[bytes, bytes] | None:
    """Files of the checkpoint that got furthest, of all attempts of the round with a number up to `before`.

    Damaged ones are passed over with a line in the log.
    """
    found = [
        (folder / name)
        for folder in round_folder.glob("[0-9]*")
        if folder.name.isdigit() and int(folder.name) <= before
        for name in _names(folder)
    ]
    for stem in sorted(found, key=lambda path: (path.name, int(path.parent.name)), reverse=True):
        try:
            arrays, note = stem.with_suffix(".npz").read_bytes(), stem.with_suffix(".json").read_bytes()
            Checkpoint.decode(arrays, note)
        except (OSError, ValueError, KeyError, TypeError) as damaged:
            print(f"checkpoint {stem} is passed over: {damaged}")
            continue
        print(f"going on from checkpoint {stem}")
        return arrays, note
    return None


def _names(folder: Path) -> Sequence[str]:
    """Stems of the complete checkpoints of a folder, the oldest first."""
    return sorted(path.stem for path in folder.iterdir() if _NAME.match(path.name)) if folder.is_dir() else []
