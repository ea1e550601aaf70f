"""A rank that prunes after training, and instead of evaluating prints what it has found."""

import hashlib
import os
import sys
from typing import Any

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

from trainingrun_trainer import rank


def train_and_prune(context: Any) -> None:
    """Stands in for the pipeline. Masks are digested to the bit, which the trainer itself has no need for."""
    from trainingrun_trainer.data.source import load_split
    from trainingrun_trainer.models.networks import build
    from trainingrun_trainer.stages.prune import prune
    from trainingrun_trainer.stages.train import train

    split, _ = load_split(context)
    network = build(context.config.model, shape=split.training.shape, classes=split.training.classes, seed=1)
    train(context, network, split)
    for pruned in prune(context, network, split):
        digest = hashlib.sha256(b"".join((weight == 0).tobytes() for weight in pruned.weights)).hexdigest()
        accuracy = pruned.state.history[-1]["val_accuracy"]
        print(f"rank {context.gang.rank} pruned {pruned.sparsity} {pruned.share:.3f} {accuracy:.3f} {digest}", flush=True)


if __name__ == "__main__":
    from trainingrun_trainer import pipeline

    pipeline.run = train_and_prune  # the stage alone is what the test is about
    sys.exit(rank.main())
