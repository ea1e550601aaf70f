"""The stage that publishes: a SavedModel, TFLite models, `result.json` and `report.html` on the output. Only rank 0 runs it.

The model is made apart and then takes its place, so that nothing half-written is ever found under its final name: see
`output.place` for what that means where. An attempt that is not the newest any more publishes nothing.
"""

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import tensorflow as tf
import tf_keras

from trainingrun.api import Result
from trainingrun.api.base import Tolerant, to_wire
from trainingrun_trainer import fence, owner
from trainingrun_trainer.acceptance import Judgement
from trainingrun_trainer.artifacts.measure import measure
from trainingrun_trainer.artifacts.measurements import Measurements
from trainingrun_trainer.artifacts.runtime import keras_runtime
from trainingrun_trainer.artifacts.size import packed
from trainingrun_trainer.compression.made import TFLITE, Compressed, Made
from trainingrun_trainer.context import Context
from trainingrun_trainer.data.feed import Split
from trainingrun_trainer.keeping import retire
from trainingrun_trainer.output.volume import borne
from trainingrun_trainer.progress import metric_values
from trainingrun_trainer.stages.artifact_list import MODEL, listed_artifacts
from trainingrun_trainer.stages.details import details_of
from trainingrun_trainer.stages.ending import Ending
from trainingrun_trainer.stages.evaluate import judged
from trainingrun_trainer.stages.judge import judge
from trainingrun_trainer.stages.reporting.finished import Finished
from trainingrun_trainer.stages.reporting.pictures import pictures
from trainingrun_trainer.stages.reporting.write import write_report
from trainingrun_trainer.stages.saved_model import save_model
from trainingrun_trainer.tuning.events import decode
from trainingrun_trainer.tuning.journal import newest

Network = Any


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
        save_model(network, split=split, folder=staged, patience=context.patience)
        context.progress.part_done()
        floats = _measured(context, network, split, folder=staged)
        judgement = judge(context, _judged_models(ending.compressed, floats), name=MODEL, floats=floats)
        result = Result(
            metrics=metric_values(ending.metrics),
            artifacts=listed_artifacts(context, staged, made=made, floats=floats, judgement=judgement),
            epochs=ending.state.epoch,
            seconds=round(time.monotonic() - ending.started),
        )
        context.progress.part_done()
        owner.require_own(paths)
        fence.require_newest(paths)
        model.publish(staged, seal=seal)
        _publish_files(context, made)
        details = details_of(context, split=split, ending=ending, judgement=judgement)
        seal.write(json.dumps({"result": to_wire(result), **details}, indent=2).encode())
        finished = _finished(context, split, ending=ending, result=result, judgement=judgement)
        write_report(paths.run.join("report.html"), finished, draw=lambda: pictures(context, split, finished=finished))
        fence.require_newest(paths)
        ended = Published(result=result, reasons=tuple(judgement.reasons))
        paths.finished.write(json.dumps(to_wire(ended)).encode())
    retire(paths, keep=context.config.training.checkpoint.keep)
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
    runtime = keras_runtime(network, shape=feed.shape, normalization=feed.normalization)
    model = borne(context.patience, lambda: packed(folder))
    measured, _ = measure(model, runtime, judged(split), report=context.progress.part_done)
    return measured


def _judged_models(compressed: Compressed, floats: Measurements | None) -> list[tuple[str, Measurements]]:
    """The models at the end of their ways: without compression that is the SavedModel."""
    ends = [(model.name, model.measured) for model in compressed.finals]
    return ends or ([(MODEL, floats)] if floats is not None else [])


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
        left_out=ending.about.left_out,
        seconds=context.progress.seconds,
        versions={"tensorflow": tf.__version__, "tf_keras": tf_keras.__version__},
        at=datetime.now(UTC),
    )
