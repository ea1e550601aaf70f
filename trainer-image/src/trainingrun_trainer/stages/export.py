"""The stage that publishes: a SavedModel and `result.json` on the output. Only rank 0 runs it.

Everything is written under a temporary name and moved, so that nothing half-written is ever found under its final name.
"""

import hashlib
import json
import shutil
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import tensorflow as tf
import tf_keras

from trainingrun.api import Artifact, Result
from trainingrun.api.base import to_wire
from trainingrun.contract import Cause
from trainingrun_trainer.checkpoint import LoopState, output_failed, write_whole
from trainingrun_trainer.context import Context
from trainingrun_trainer.data.dataset import Split
from trainingrun_trainer.errors import failed
from trainingrun_trainer.progress import metric_values

Network = Any


def claim_output(context: Context) -> None:
    """Make this attempt's folder: the output is seen to be writable before hours are spent, and older attempts see it.

    Raises TrainerError (OutputFailed) when it cannot be written.
    """
    try:
        context.paths.attempt.mkdir(parents=True, exist_ok=True)
    except OSError as refused:
        raise output_failed(context.paths.attempt, refused) from refused


def export(
    context: Context,
    network: Network,
    *,
    split: Split,
    data_sha256: str,
    state: LoopState,
    metrics: dict[str, float],
    started: float,
) -> Result:
    """Publish the model and return what the operator is told; `started` is a monotonic time in seconds.

    Raises TrainerError when the output cannot be written, or when a newer attempt has begun to write it.
    """
    _require_newest(context)
    try:
        folder = _publish_model(context, network, split=split)
        digest, size = digest_of_folder(folder)
        model = Artifact(name="model", uri=context.paths.uri(folder), sha256=digest, size_bytes=size)
        result = Result(
            metrics=metric_values(metrics),
            artifacts=(model,),
            epochs=state.epoch,
            seconds=round(time.monotonic() - started),
        )
        details = _details(context, split=split, data_sha256=data_sha256, state=state, metrics=metrics)
        record = {"result": to_wire(result), **details}
        write_whole(context.paths.run / "result.json", json.dumps(record, indent=2).encode())
        write_whole(context.paths.finished, json.dumps(to_wire(result)).encode())
    except OSError as refused:
        raise output_failed(context.paths.run, refused) from refused
    return result


def published(context: Context) -> Result | None:
    """The result of this round, if an earlier attempt has published it and only its report was lost."""
    try:
        return Result.model_validate_json(context.paths.finished.read_bytes())
    except (FileNotFoundError, ValueError):
        return None


def digest_of_folder(folder: Path) -> tuple[str, int]:
    """SHA-256 over the sorted names and digests of a folder's files, and their size in bytes."""
    digest, size = hashlib.sha256(), 0
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        size += len(content)
        digest.update(f"{path.relative_to(folder)} {hashlib.sha256(content).hexdigest()}\n".encode())
    return digest.hexdigest(), size


def _require_newest(context: Context) -> None:
    newer = [
        folder.name
        for folder in context.paths.round.glob("[0-9]*")
        if folder.name.isdigit() and int(folder.name) > context.config.attempt
    ]
    if newer:
        raise failed(
            f"Attempt {context.config.attempt} does not publish: attempt {newer[0]} has begun to write the output.",
            cause=Cause.OUTPUT_FAILED,
        )


def _publish_model(context: Context, network: Network, *, split: Split) -> Path:
    """Save the network so that it takes raw samples and returns probabilities."""
    shape, scale = split.training.shape, split.training.scale
    module = tf.Module()
    module.network = network

    @tf.function(  # type: ignore[untyped-decorator]  # TensorFlow ships no types
        autograph=False, input_signature=[tf.TensorSpec([None, *shape], tf.float32, name="samples")]
    )
    def serve(samples: Any) -> dict[str, Any]:
        return {"probabilities": tf.nn.softmax(network(samples * scale, training=False))}

    module.serve = serve
    target = context.paths.run / "model"
    temporary = target.with_name(f".model-{context.config.attempt}.new")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.parent.mkdir(parents=True, exist_ok=True)
    tf.saved_model.save(module, str(temporary), signatures={"serving_default": serve})
    outdated = target.with_name(f".model-{context.config.attempt}.old")
    shutil.rmtree(outdated, ignore_errors=True)
    if target.exists():
        target.rename(outdated)
    temporary.rename(target)
    shutil.rmtree(outdated, ignore_errors=True)
    return target


def _details(
    context: Context, *, split: Split, data_sha256: str, state: LoopState, metrics: dict[str, float]
) -> dict[str, Any]:
    """All that is needed to understand and reproduce the result."""
    return {
        "run": to_wire(context.config.run),
        "attempt": context.config.attempt,
        "finishedAt": datetime.now(UTC).isoformat(timespec="seconds"),
        "config": to_wire(context.config),
        "worldSize": context.gang.size,
        "versions": {"tensorflow": tf.__version__, "tf_keras": tf_keras.__version__},
        "data": {
            "sha256": data_sha256,
            "samples": {"training": len(split.training), "validation": len(split.validation), "test": len(split.test)},
            "classes": split.training.classes,
            "judgedOn": "test" if len(split.test) > 0 else "validation",
        },
        "metrics": metrics,
        "training": asdict(state),
    }
