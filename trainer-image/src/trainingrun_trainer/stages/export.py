"""The stage that publishes: a SavedModel, `result.json` and `report.html` on the output. Only rank 0 runs it.

The model is made apart and then takes its place, so that nothing half-written is ever found under its final name: see
`output.place` for what that means where. An attempt that is not the newest any more publishes nothing.
"""

import hashlib
import json
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import tensorflow as tf
import tf_keras

from trainingrun.api import Artifact, Result
from trainingrun.api.base import to_wire
from trainingrun_trainer import fence
from trainingrun_trainer.checkpoint import LoopState
from trainingrun_trainer.context import Context
from trainingrun_trainer.data.feed import Split
from trainingrun_trainer.data.source import About
from trainingrun_trainer.output.volume import output_failed
from trainingrun_trainer.progress import metric_values
from trainingrun_trainer.stages.report import Finished, write_report

Network = Any


def export(
    context: Context,
    network: Network,
    *,
    split: Split,
    about: About,
    state: LoopState,
    metrics: dict[str, float],
    started: float,
) -> Result:
    """Publish the model and return what the operator is told; `started` is a monotonic time in seconds.

    Raises TrainerError: OutputFailed when the output cannot be written, Superseded when a newer attempt has begun.
    """
    paths = context.paths
    fence.require_newest(paths)
    model, report = paths.run.join("model"), paths.run.join("result.json")
    with model.staging(str(context.config.attempt)) as staged:
        _save_model(network, split=split, folder=staged)
        context.progress.part_done()
        digest, size = digest_of_folder(staged)
        context.progress.part_done()
        result = Result(
            metrics=metric_values(metrics),
            artifacts=(Artifact(name="model", uri=model.uri, sha256=digest, size_bytes=size),),
            epochs=state.epoch,
            seconds=round(time.monotonic() - started),
        )
        details = _details(context, split=split, about=about, state=state, metrics=metrics)
        fence.require_newest(paths)
        model.publish(staged, seal=report)
        report.write(json.dumps({"result": to_wire(result), **details}, indent=2).encode())
        write_report(
            paths.run.join("report.html"), _finished(context, split, about=about, state=state, result=result, metrics=metrics)
        )
        fence.require_newest(paths)
        paths.finished.write(json.dumps(to_wire(result)).encode())
    return result


def published(context: Context) -> Result | None:
    """The result of this round, if an earlier attempt has published it and only its report was lost."""
    try:
        return Result.model_validate_json(context.paths.finished.read())
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


def _save_model(network: Network, *, split: Split, folder: Path) -> None:
    """Save the network so that it takes raw samples and returns probabilities.

    Raises TrainerError (OutputFailed) when the disk is full.
    """
    shape, scale = split.training.shape, split.training.scale
    module = tf.Module()
    module.network = network

    @tf.function(  # type: ignore[untyped-decorator]  # TensorFlow ships no types
        autograph=False, input_signature=[tf.TensorSpec([None, *shape], tf.float32, name="samples")]
    )
    def serve(samples: Any) -> dict[str, Any]:
        return {"probabilities": tf.nn.softmax(network(samples * scale, training=False))}

    module.serve = serve
    try:
        tf.saved_model.save(module, str(folder), signatures={"serving_default": serve})
    except (OSError, tf.errors.OpError) as refused:
        raise output_failed(folder, refused) from refused


def _finished(
    context: Context, split: Split, *, about: About, state: LoopState, result: Result, metrics: dict[str, float]
) -> Finished:
    """What the report is made of."""
    return Finished(
        config=context.config,
        found=context.found,
        state=state,
        result=result,
        metrics=metrics,
        samples={"training": len(split.training), "validation": len(split.validation), "test": len(split.test)},
        class_names=about.class_names,
        classes=split.training.classes,
        data_sha256=about.sha256,
        versions={"tensorflow": tf.__version__, "tf_keras": tf_keras.__version__},
        at=datetime.now(UTC),
    )


def _details(context: Context, *, split: Split, about: About, state: LoopState, metrics: dict[str, float]) -> dict[str, Any]:
    """All that is needed to understand and reproduce the result."""
    return {
        "run": to_wire(context.config.run),
        "attempt": context.config.attempt,
        "finishedAt": datetime.now(UTC).isoformat(timespec="seconds"),
        "config": to_wire(context.config),
        "worldSize": context.gang.size,
        "versions": {"tensorflow": tf.__version__, "tf_keras": tf_keras.__version__},
        "data": {
            "sha256": about.sha256,
            "samples": {"training": len(split.training), "validation": len(split.validation), "test": len(split.test)},
            "classes": split.training.classes,
            "classNames": list(about.class_names),
            "streamed": about.is_streamed,
            "judgedOn": "test" if len(split.test) > 0 else "validation",
        },
        "metrics": metrics,
        "choices": [asdict(found) for found in context.found],
        "training": asdict(state),
    }
