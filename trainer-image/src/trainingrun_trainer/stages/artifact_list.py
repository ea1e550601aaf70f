"""The models of a run as its result lists them."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trainingrun.api import MOST_ARTIFACTS, Artifact
from trainingrun_trainer.acceptance import Judgement
from trainingrun_trainer.artifacts.measurements import Measurements
from trainingrun_trainer.compression.made import Made
from trainingrun_trainer.context import Context
from trainingrun_trainer.output.volume import borne
from trainingrun_trainer.progress import metric_values

MODEL = "model"
"""Name of the folder with the SavedModel."""


def listed_artifacts(
    context: Context, staged: Path, *, made: Sequence[Made], floats: Measurements | None, judgement: Judgement
) -> tuple[Artifact, ...]:
    """The SavedModel, the models that were judged, and then those on the way to them, as many as status has room for."""
    folder = context.paths.run
    digest, size = borne(context.patience, lambda: digest_of_folder(staged))
    model = Artifact(name=MODEL, uri=folder.join(MODEL).uri, sha256=digest, size_bytes=size, accepted=judgement.accepts(MODEL))
    if floats is not None:
        model = model.model_copy(update=_numbers(floats))
    ordered = sorted(made, key=lambda each: not each.is_final)
    files = [
        Artifact(
            name=each.name,
            uri=folder.join(each.file).uri,
            sha256=hashlib.sha256(each.tflite).hexdigest(),
            size_bytes=len(each.tflite),
            sparsity=None if each.pruned is None else f"{each.pruned.share:.4f}",
            accepted=judgement.accepts(each.name),
        ).model_copy(update=_numbers(each.measured))
        for each in ordered
    ]
    return (model, *files)[:MOST_ARTIFACTS]


def _numbers(measured: Measurements) -> dict[str, Any]:
    """What was measured, as fields of an artifact."""
    values = {
        "accuracy": measured.accuracy,
        "loss": measured.loss,
        "latencyMilliseconds": measured.latency.median,
        "latencyP95Milliseconds": measured.latency.p95,
    }
    return {"gzipped_bytes": measured.gzipped_bytes, "metrics": metric_values(values)}


def digest_of_folder(folder: Path) -> tuple[str, int]:
    """SHA-256 over the sorted names and digests of a folder's files, and their size in bytes."""
    digest, size = hashlib.sha256(), 0
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        size += len(content)
        digest.update(f"{path.relative_to(folder)} {hashlib.sha256(content).hexdigest()}\n".encode())
    return digest.hexdigest(), size
