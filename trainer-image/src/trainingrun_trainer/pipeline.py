"""What every rank runs, from top to bottom: load, choose what is Auto, tune, train, compress, evaluate, publish."""

import time
from dataclasses import replace

from trainingrun.api import Result
from trainingrun_trainer import fence, owner
from trainingrun_trainer.context import Context
from trainingrun_trainer.data.source import load_split
from trainingrun_trainer.stages.choose import choose
from trainingrun_trainer.stages.compress import compress
from trainingrun_trainer.stages.compressible import require_compressible
from trainingrun_trainer.stages.ending import Ending
from trainingrun_trainer.stages.evaluate import evaluate
from trainingrun_trainer.stages.export import export, published
from trainingrun_trainer.stages.judge import require_accepted
from trainingrun_trainer.stages.network import first_network, float_network
from trainingrun_trainer.stages.tell import tell
from trainingrun_trainer.stages.train import train
from trainingrun_trainer.stages.tune import tune
from trainingrun_trainer.tuning.parameters import start_of_search


def run(context: Context) -> Result | None:
    """Run the attempt; rank 0 returns the result, the others None.

    Raises TrainerError with a cause that the user can act on.
    """
    started = time.monotonic()
    if context.is_chief:
        owner.claim(context.paths)
        fence.claim(context.paths)
    finished = published(context) if context.is_chief else None
    if context.gang.broadcast_bytes(b"yes" if finished is not None else b"no") == b"yes":
        # An earlier attempt got this far, and only its report was lost.
        return require_accepted(finished.result, finished.reasons) if finished is not None else None

    split, about = load_split(context)
    context = tell(context, about.found)
    context = replace(context, config=start_of_search(context.config))
    network = first_network(context, split)
    require_compressible(context, network, split)
    context.progress.part_done()
    context = choose(context, network, split.training)
    tuned = tune(context, split)
    if tuned is not context:
        network = first_network(tuned, split)
        if tuned.config.model != context.config.model:
            require_compressible(tuned, network, split)
        context = tuned
    state = train(context, network, split)
    context = replace(context, gang=context.gang.host)  # the processors do what is left
    network = float_network(context, network, split)
    compressed = compress(context, network, split)
    evaluation = evaluate(context, network, split)
    metrics = _training_metrics(state.history[state.best_epoch - 1]) | evaluation.metrics
    if not context.is_chief:
        return None
    ended = export(context, network, split, Ending(about, state, metrics, evaluation.predictions, compressed, started))
    return require_accepted(ended.result, ended.reasons)


def _training_metrics(history: dict[str, float]) -> dict[str, float]:
    """Loss and accuracy on the training samples in the epoch whose weights are kept."""
    return {name: history[name] for name in ("loss", "accuracy")}
