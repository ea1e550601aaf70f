"""The stage that makes smaller models: pruned, quantized or both. Each one is measured as it will be used."""

from dataclasses import dataclass, field
from functools import partial
from typing import Any

from trainingrun.api import QuantizationMode
from trainingrun.contract import Stage
from trainingrun_trainer.artifacts.measure import measure
from trainingrun_trainer.artifacts.runtime import TFLite
from trainingrun_trainer.compression.convert import to_tflite
from trainingrun_trainer.compression.made import Compressed, FineTuning, Made
from trainingrun_trainer.compression.pruned import Pruned
from trainingrun_trainer.context import Context
from trainingrun_trainer.data.feed import Split
from trainingrun_trainer.models.policy import float_policy
from trainingrun_trainer.stages.evaluate import judged
from trainingrun_trainer.stages.look_around import look_around
from trainingrun_trainer.stages.quantize import quantize

Network = Any

DENSE = "dense"
_SUFFIXES = {
    QuantizationMode.FLOAT16: "float16",
    QuantizationMode.DYNAMIC_RANGE: "dynamic-range",
    QuantizationMode.INT8: "int8",
    QuantizationMode.INT8_AWARE: "int8-aware",
}


def compress(context: Context, network: Network, split: Split) -> Compressed:
    """Make the models of `spec.compression` of a network in float32: none without it. All ranks must call this.

    The network has its own weights again afterwards. Raises TrainerError: see `prune` and `quantize`; Interrupted while it
    measures.
    """
    compression = context.config.compression
    if compression is None:
        return Compressed()
    trained = network.get_weights()
    workshop = _Workshop(context, split)
    with float_policy():
        workshop.keep_floats(DENSE, network)
        if compression.pruning is None:
            workshop.finish(DENSE, network)
        else:
            from trainingrun_trainer.stages.prune import prune  # loads tfmot, which takes seconds

            for pruned in prune(context, network, split):
                workshop.made.trainings.append(FineTuning(f"pruned-{pruned.sparsity}", Stage.PRUNING, pruned.state))
                workshop.finish(f"pruned-{pruned.sparsity}", network, pruned=pruned)
    network.set_weights(trained)
    return workshop.made


@dataclass(frozen=True)
class _Workshop:
    """Makes models, measures them and keeps them."""

    context: Context
    split: Split
    made: Compressed = field(default_factory=Compressed)

    def finish(self, name: str, network: Network, *, pruned: Pruned | None = None) -> None:
        """Make the last model of a way: a quantized one, or one of floats."""
        compression = self.context.config.compression
        assert compression is not None, "the caller has looked"
        if compression.quantization is None:
            self.keep_floats(name, network, is_final=True, pruned=pruned)
            return
        if pruned is not None:
            self.keep_floats(name, network, pruned=pruned)
        quantized = quantize(self.context, network, self.split, name=name)
        last = f"{name}-{_SUFFIXES[compression.quantization.mode]}"
        if quantized.state is not None:
            self.made.trainings.append(FineTuning(last, Stage.QUANTIZING, quantized.state))
        self._keep(last, quantized.tflite, is_final=True, pruned=pruned)

    def keep_floats(self, name: str, network: Network, *, is_final: bool = False, pruned: Pruned | None = None) -> None:
        """Keep the network as a TFLite model of floats."""
        if self.context.is_chief:
            feed = self.split.training
            tflite = to_tflite(network, shape=feed.shape, normalization=feed.normalization, mode=None, calibration=None)
            self._keep(name, tflite, is_final=is_final, pruned=pruned)

    def _keep(self, name: str, tflite: bytes, *, is_final: bool, pruned: Pruned | None) -> None:
        if not self.context.is_chief:
            return
        measured, predictions = measure(tflite, TFLite(tflite), judged(self.split), report=partial(look_around, self.context))
        print(f"{name}: accuracy {measured.accuracy:.4f}, {measured.gzipped_bytes:,} bytes after gzip")
        self.made.models.append(Made(name, tflite, measured, predictions, is_final, pruned))
