"""What is measured of a model, as values."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Latency:
    """Milliseconds of one sample: of TFLite on one thread, of TensorFlow with all threads or the GPU of the rank."""

    median: float
    p95: float


@dataclass(frozen=True)
class Measurements:
    """What is known of a model that is to be shipped."""

    accuracy: float
    loss: float
    size_bytes: int
    gzipped_bytes: int
    latency: Latency
