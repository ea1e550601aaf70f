"""What the trainer has found, and what it leaves: choices, the search, artifacts and the result. Part of `status`."""

from typing import Annotated

from pydantic import Field

from trainingrun.api.base import NUMBER_PATTERN, MetricValue, Timestamp, Tolerant

MOST_ARTIFACTS = 6


class Choice(Tolerant):
    """What the spec leaves open, as the trainer has found it: `Auto` by measuring, a stage's rate, what the data is."""

    name: Annotated[
        str,
        Field(
            max_length=63, description="Path in spec, for example training.batchSize, or learningRate.Pruning: that of a stage."
        ),
    ]
    value: Annotated[str, Field(max_length=24, description="The value that applies.")]
    reason: Annotated[str, Field(max_length=512, description="Why, with the measurements that decided.")] = ""


class Artifact(Tolerant):
    """A file or folder that the run left on its output."""

    name: Annotated[str, Field(max_length=63, description="Name, for example model.")]
    uri: Annotated[
        str, Field(max_length=1024, description="Where it is: pvc://claim/path, or a uri below that of spec.output.")
    ]
    sha256: Annotated[str, Field(max_length=64, description="Digest of the file, or of a folder's list of digests.")] = ""
    size_bytes: Annotated[int, Field(description="Size of the files in bytes.")] = 0
    gzipped_bytes: Annotated[int | None, Field(description="Size in bytes, compressed with gzip.")] = None
    sparsity: Annotated[
        str | None, Field(max_length=24, description="Fraction of the pruned layers' weights that is zero, as measured.")
    ] = None
    metrics: Annotated[
        tuple[MetricValue, ...],
        Field(
            max_length=6,
            description="Measured with this file and its own runtime: accuracy, loss, latencyMilliseconds (median of one "
            "sample: a TFLite model's on one thread, the SavedModel's with all threads or the GPU of a rank, so that the two "
            "do not compare) and latencyP95Milliseconds.",
        ),
    ] = ()
    accepted: Annotated[bool | None, Field(description="Whether it meets spec.acceptance; absent when it was not judged.")] = (
        None
    )


class TriedValue(Tolerant):
    """What a trial had at one path in spec."""

    name: Annotated[str, Field(max_length=63, description="Path in spec, for example training.batchSize.")]
    value: Annotated[str, Field(max_length=63, description="Value as it would be written in spec.")]


class BestTrial(Tolerant):
    """The trial with the best value so far."""

    number: Annotated[int, Field(ge=0, description="Number of the trial, from 0.")]
    value: Annotated[str, Field(max_length=24, pattern=NUMBER_PATTERN, description="Value of the objective.")]
    parameters: Annotated[
        tuple[TriedValue, ...], Field(max_length=16, description="What it was tried with: names and values.")
    ] = ()


class TuningStatus(Tolerant):
    """How far the search is; the trials themselves are in tuning.jsonl on the output."""

    trials: Annotated[int, Field(description="Trials in all.")] = 0
    completed: Annotated[int, Field(description="Trials that came to their end.")] = 0
    pruned: Annotated[int, Field(description="Trials that were ended early.")] = 0
    failed: Annotated[int, Field(description="Trials that failed.")] = 0
    best: Annotated[BestTrial | None, Field(description="The best trial so far.")] = None

    @property
    def lasting(self) -> int:
        """Trials that need not be run again, whatever happens."""
        return self.completed + self.pruned


class TuningRecord(TuningStatus):
    """The search of the run, and the attempt that ended its newest trial."""

    attempt: Annotated[int, Field(description="Attempt that ended the newest trial.")] = 0
    recorded_at: Annotated[
        Timestamp | None, Field(description="When it was reported; trials that had not ended by then can be lost.")
    ] = None


class Result(Tolerant):
    """What a finished run achieved; `result.json` on the output says more."""

    metrics: Annotated[tuple[MetricValue, ...], Field(max_length=16, description="Metrics of the final model.")] = ()
    artifacts: Annotated[tuple[Artifact, ...], Field(max_length=MOST_ARTIFACTS, description="Finished artifacts.")] = ()
    epochs: Annotated[int, Field(description="Epochs that were trained.")] = 0
    seconds: Annotated[int, Field(description="Wall-clock seconds of the last attempt's trainer.")] = 0

    @property
    def best(self) -> Artifact | None:
        """The smallest artifact that meets `spec.acceptance`, if one was judged and does."""
        accepted = [artifact for artifact in self.artifacts if artifact.accepted]
        return min(
            accepted, key=lambda each: each.size_bytes if each.gzipped_bytes is None else each.gzipped_bytes, default=None
        )
