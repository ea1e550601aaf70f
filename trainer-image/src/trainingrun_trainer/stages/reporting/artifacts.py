"""The SavedModel and all models of compression, also those that the result has no room for."""

from collections.abc import Iterator

from trainingrun.api import AcceleratorKind
from trainingrun_trainer.report.values import Artifact
from trainingrun_trainer.stages.reporting.finished import Finished


def artifacts(finished: Finished) -> Iterator[Artifact]:
    """The float model first, then the others in the order in which they were made."""
    yield _float_model(finished)
    for made in finished.compressed.models:
        measured, pruned = made.measured, made.pruned
        yield Artifact(
            name=made.name,
            file=made.file,
            size_bytes=measured.size_bytes,
            gzipped_bytes=measured.gzipped_bytes,
            accuracy=measured.accuracy,
            loss=measured.loss,
            latency_milliseconds=measured.latency.median,
            latency_p95_milliseconds=measured.latency.p95,
            latency_on="one thread",
            sparsity=None if pruned is None else pruned.share,
            layers=() if pruned is None else tuple((layer.name, layer.sparsity) for layer in pruned.layers),
            accepted=finished.judgement.accepts(made.name),
            reasons=finished.judgement.missed.get(made.name, ()),
        )


def _float_model(finished: Finished) -> Artifact:
    model = finished.result.artifacts[0]
    values = {metric.name: float(metric.value) for metric in model.metrics}
    return Artifact(
        name=model.name,
        file=f"{model.name}/",
        size_bytes=model.size_bytes,
        gzipped_bytes=model.gzipped_bytes,
        accuracy=values.get("accuracy"),
        loss=values.get("loss"),
        latency_milliseconds=values.get("latencyMilliseconds"),
        latency_p95_milliseconds=values.get("latencyP95Milliseconds"),
        latency_on="the GPU of a rank" if finished.config.accelerator is AcceleratorKind.GPU else "all threads of a rank",
        accepted=model.accepted,
        reasons=finished.judgement.missed.get(model.name, ()),
    )
