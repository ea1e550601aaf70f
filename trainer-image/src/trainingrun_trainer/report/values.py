"""What a report is made of: plain numbers, texts and arrays, so that whoever has them can fill them in.

All texts may come from a user and are escaped when they are rendered. What is empty or None is left out of the report.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""[height, width], [height, width, 1] or [height, width, 3]."""
Pair = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Check:
    """One condition of `spec.acceptance` and what was measured."""

    name: str
    """What is bounded, for example `accuracy` or `gzipped size`."""
    bound: float
    value: float
    is_maximum: bool
    """Whether the bound is the largest value that is accepted, and not the smallest."""
    holds: bool
    is_size: bool = False
    """Whether both are bytes."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether the final model is accepted, and by what."""

    accepted: bool
    artifact: str
    """Name of the final model."""
    checks: tuple[Check, ...]


@dataclass(frozen=True, kw_only=True)
class StageCurve:
    """The finished epochs of a stage that trains, in their order."""

    name: str
    epochs: tuple[Mapping[str, float], ...]
    """Names and values of the metrics, for example `loss` and `val_loss`; NaN is a gap."""
    kept: int | None = None
    """Number, from 1, of the epoch whose weights are kept."""


class TrialState(StrEnum):
    """How a trial ended."""

    COMPLETE = "complete"
    PRUNED = "ended early"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One trial of the search."""

    number: int
    parameters: Mapping[str, float | str]
    """Numbers are placed on an axis, texts are categories."""
    state: TrialState
    value: float | None = None
    """Of the objective; None when it failed."""
    epochs: tuple[float, ...] = ()
    """The objective after each epoch."""
    seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """The search for parameters."""

    metric: str
    is_maximized: bool
    trials: tuple[Trial, ...]
    logarithmic: frozenset[str] = frozenset()
    """Names of the parameters that were searched on a logarithmic scale."""


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """A file that the run made, and what was measured with it."""

    name: str
    file: str = ""
    """Its file, or its folder with a slash at the end, beside the report."""
    size_bytes: int
    gzipped_bytes: int | None = None
    accuracy: float | None = None
    loss: float | None = None
    latency_milliseconds: float | None = None
    """Median of one sample."""
    latency_p95_milliseconds: float | None = None
    latency_on: str = ""
    """What it was measured on: latencies on different things cannot be compared."""
    sparsity: float | None = None
    """Fraction of the pruned layers' weights that is zero."""
    layers: tuple[tuple[str, float], ...] = ()
    """Names of the pruned layers and the fraction of each one's weights that is zero."""
    accepted: bool | None = None
    reasons: tuple[str, ...] = ()
    """Why it was not accepted, in sentences."""


@dataclass(frozen=True, kw_only=True)
class Confusion:
    """Which classes are taken for which."""

    classes: int
    counts: Mapping[tuple[int, int], int]
    """Samples by the number of their class and of that which they were taken for; pairs that do not occur are left out."""


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """A sample that the model is wrong about."""

    image: Image
    truth: str
    predicted: str
    probability: float
    """Of the class that was predicted."""


@dataclass(frozen=True, kw_only=True)
class Augmented:
    """A training sample as it is, and what augmentation makes of it."""

    label: str
    original: Image
    variants: tuple[Image, ...]


class Pictures(NamedTuple):
    """What is shown of the samples themselves."""

    mistakes: tuple[Mistake, ...] = ()
    """The most confident first."""
    augmented: tuple[Augmented, ...] = ()


@dataclass(frozen=True, kw_only=True)
class StageTime:
    """Wall-clock seconds of a stage."""

    name: str
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A value that was `Auto` in the spec, and the measurements that decided: rows of equal columns."""

    name: str
    value: str
    reason: str
    measured: tuple[Mapping[str, float], ...] = ()


@dataclass(frozen=True, kw_only=True)
class ReportData:
    """Everything that a report says."""

    name: str
    namespace: str
    finished_at: str
    """Moment as text, with its zone."""
    judged_on: str = "validation"
    """The samples that metrics, confusion and mistakes are from: `test` or `validation`."""
    facts: tuple[Pair, ...] = ()
    """Names and values at the top, for example what was trained on how many samples."""
    metrics: tuple[tuple[str, float], ...] = ()
    verdict: Verdict | None = None
    curves: tuple[StageCurve, ...] = ()
    tuning: Tuning | None = None
    artifacts: tuple[Artifact, ...] = ()
    class_names: tuple[str, ...] = ()
    answered_by: str = ""
    """Name of the artifact whose answers confusion and mistakes are."""
    is_shipped: bool = False
    """Whether that is a model which is accepted, and not the float model."""
    confusion: Confusion | None = None
    mistakes: tuple[Mistake, ...] = ()
    """The most confident first."""
    augmented: tuple[Augmented, ...] = ()
    times: tuple[StageTime, ...] = ()
    accelerators: int = 0
    """GPUs that the run held for all of this time, on all workers together."""
    choices: tuple[Choice, ...] = ()
    versions: tuple[Pair, ...] = ()
    """Packages, image, data digest: names and values."""
    parameters: str = ""
    """All parameters that the result follows from, as text of many lines."""
