"""The stage that publishes: a SavedModel, TFLite models, `result.json` and `report.html` on the output. Only rank 0 runs it.

The model is made apart and then takes its place, so that nothing half-written is ever found under its final name: see
`output.place` for what that means where. An attempt that is not the newest any more publishes nothing.
"""

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import tensorflow as tf
import tf_keras

from trainingrun.api import MOST_ARTIFACTS, Artifact, Result
from trainingrun.api.base import Tolerant, to_wire
from trainingrun_trainer import fence
from trainingrun_trainer.acceptance import Judgement
from trainingrun_trainer.artifacts.measure import measure
from trainingrun_trainer.artifacts.measurements import Measurements
from trainingrun_trainer.artifacts.predictions import Predictions
from trainingrun_trainer.artifacts.runtime import keras_runtime
from trainingrun_trainer.artifacts.size import packed
from trainingrun_trainer.checkpoint import LoopState
from trainingrun_trainer.compression.made import TFLITE, Compressed, Made
from trainingrun_trainer.context import Context
from trainingrun_trainer.data.feed import Split
from trainingrun_trainer.data.source import About
from trainingrun_trainer.output.volume import output_failed
from trainingrun_trainer.progress import metric_values
from trainingrun_trainer.stages.evaluate import judged
from trainingrun_trainer.stages.judge import judge
from trainingrun_trainer.stages.reporting.finished import Finished
from trainingrun_trainer.stages.reporting.pictures import pictures
from trainingrun_trainer.stages.reporting.write import write_report
from trainingrun_trainer.tuning.events import decode
from trainingrun_trainer.tuning.journal import newest

Network = Any

MODEL = "model"
"""Name of the folder with the SavedModel."""


@dataclass(frozen=True)
class Ending:
    """What a run knows when all its models are made."""

    about: About
    state: LoopState
    metrics: dict[str, float]
    predictions: Predictions
    """Of the network, on the samples that models are judged on."""
    compressed: Compressed
    started: float
    """Monotonic time in seconds."""


class Published(Tolerant):
    """What an attempt has published: the marker of a finished round."""

    result: Result
    reasons: tuple[str, ...] = ()
    """Why no model is accepted."""


def export(context: Context, network: Network, split: Split, ending: Ending) -> Published:
    """Judge and publish the models.

    Raises TrainerError: OutputFailed when the output cannot be written, Superseded when a newer attempt has begun.
    """
    paths, made = context.paths, ending.compressed.models
    fence.require_newest(paths)
    model, seal = paths.run.join(MODEL), paths.run.join("result.json")
    with model.staging(str(context.config.attempt)) as staged:
        _save_model(network, split=split, folder=staged)
        context.progress.part_done()
        floats = _measured(context, network, split, folder=staged)
        judgement = judge(context, _judged_models(ending.compressed, floats), name=MODEL, floats=floats)
        result = Result(
            metrics=metric_values(ending.metrics),
            artifacts=_artifacts(context, staged, made=made, floats=floats, judgement=judgement),
            epochs=ending.state.epoch,
            seconds=round(time.monotonic() - ending.started),
        )
        context.progress.part_done()
        fence.require_newest(paths)
        model.publish(staged, seal=seal)
        _publish_files(context, made)
        details = _details(context, split=split, ending=ending, judgement=judgement)
        seal.write(json.dumps({"result": to_wire(result), **details}, indent=2).encode())
        finished = _finished(context, split, ending=ending, result=result, judgement=judgement)
        write_report(paths.run.join("report.html"), finished, draw=lambda: pictures(context, split, finished=finished))
        fence.require_newest(paths)
        ended = Published(result=result, reasons=tuple(judgement.reasons))
        paths.finished.write(json.dumps(to_wire(ended)).encode())
    return ended


def published(context: Context) -> Published | None:
    """What an earlier attempt of this round has published, when only its report was lost."""
    try:
        return Published.model_validate_json(context.paths.finished.read())
    except (FileNotFoundError, ValueError):
        return None


def _measured(context: Context, network: Network, split: Split, *, folder: Path) -> Measurements | None:
    """The SavedModel, measured when there is something that it is compared with."""
    if context.config.compression is None and context.config.acceptance is None:
        return None
    feed = split.training
    runtime = keras_runtime(network, shape=feed.shape, scale=feed.scale)
    measured, _ = measure(packed(folder), runtime, judged(split), report=context.progress.part_done)
    return measured


def _judged_models(compressed: Compressed, floats: Measurements | None) -> list[tuple[str, Measurements]]:
    """The models at the end of their ways: without compression that is the SavedModel."""
    ends = [(model.name, model.measured) for model in compressed.finals]
    return ends or ([(MODEL, floats)] if floats is not None else [])


def _artifacts(
    context: Context, staged: Path, *, made: Sequence[Made], floats: Measurements | None, judgement: Judgement
) -> tuple[Artifact, ...]:
    """The SavedModel, the models that were judged, and then those on the way to them, as many as status has room for."""
    folder = context.paths.run
    digest, size = digest_of_folder(staged)
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


def _publish_files(context: Context, made: Sequence[Made]) -> None:
    """Write the TFLite models, and take away those of an earlier round."""
    folder = context.paths.run
    names = {each.file for each in made}
    for each in made:
        folder.join(each.file).write(each.tflite)
        context.progress.part_done()
    for name in folder.names():
        if name.endswith(TFLITE) and name not in names:
            folder.join(name).remove()


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


def _finished(context: Context, split: Split, *, ending: Ending, result: Result, judgement: Judgement) -> Finished:
    """What the report is made of."""
    return Finished(
        config=context.config,
        found=context.found,
        state=ending.state,
        result=result,
        metrics=ending.metrics,
        predictions=ending.predictions,
        compressed=ending.compressed,
        judgement=judgement,
        search=decode(newest(context.paths)) if context.config.tuning is not None else (),
        samples={"training": len(split.training), "validation": len(split.validation), "test": len(split.test)},
        class_names=ending.about.class_names,
        classes=split.training.classes,
        data_sha256=ending.about.sha256,
        seconds=context.progress.seconds,
        accelerators=len(tf.config.list_physical_devices("GPU")) * context.config.replicas,
        versions={"tensorflow": tf.__version__, "tf_keras": tf_keras.__version__},
        at=datetime.now(UTC),
    )


def _details(context: Context, *, split: Split, ending: Ending, judgement: Judgement) -> dict[str, Any]:
    """All that is needed to understand and reproduce the result."""
    about = ending.about
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
        "metrics": ending.metrics,
        "choices": [asdict(found) for found in context.found],
        "training": asdict(ending.state),
        "compression": {
            "models": [_model_details(each, judgement) for each in ending.compressed.models],
            "trainings": [asdict(each) for each in ending.compressed.trainings],
        },
    }


def _model_details(made: Made, judgement: Judgement) -> dict[str, Any]:
    """One model, with the digits that status has no room for."""
    return {
        "name": made.name,
        "file": made.file,
        "measured": asdict(made.measured),
        "layers": [] if made.pruned is None else [asdict(layer) for layer in made.pruned.layers],
        "accepted": judgement.accepts(made.name),
        "missed": list(judgement.missed.get(made.name, ())),
    }
