"""What `result.json` says beside the result: all that is needed to understand and reproduce it."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import tensorflow as tf
import tf_keras

from trainingrun.api.base import to_wire
from trainingrun_trainer.acceptance import Judgement
from trainingrun_trainer.balance import Balance
from trainingrun_trainer.compression.made import Made
from trainingrun_trainer.context import Context
from trainingrun_trainer.data.feed import Split
from trainingrun_trainer.stages.ending import Ending


def details_of(context: Context, *, split: Split, ending: Ending, judgement: Judgement) -> dict[str, Any]:
    """All that is needed to understand and reproduce the result."""
    about, balance = ending.about, Balance.of(ending.predictions.counts)
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
            "groups": dict(about.groups),
            "classes": split.training.classes,
            "classNames": list(about.class_names),
            "features": [asdict(feature) for feature in about.features],
            "normalization": split.training.normalization.as_json(),
            "streamed": about.is_streamed,
            "leftOut": [asdict(each) for each in about.left_out],
            "damaged": list(about.damaged),
            "judgedOn": "test" if len(split.test) > 0 else "validation",
        },
        "metrics": ending.metrics,
        "balance": None if balance is None else asdict(balance),
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
