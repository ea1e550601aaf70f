"""What is trained in the benchmarks: data, the network and the configuration."""

import gzip
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainingrun.contract import AttemptConfig
from trainingrun_trainer.context import Context
from trainingrun_trainer.data.dataset import Dataset
from trainingrun_trainer.data.feed import Feed, InMemory
from trainingrun_trainer.messages import Reporter
from trainingrun_trainer.models.networks import build
from trainingrun_trainer.output.opening import open_output
from trainingrun_trainer.parallel.gang import Gang
from trainingrun_trainer.progress import Progress
from trainingrun_trainer.settings import OutputPaths, Settings

DATA = Path(__file__).parent.parent.parent / "examples" / "data"
DIGITS = DATA / "mnist-10k"
BATCH = 64
AUGMENTATION = {
    "rotationDegrees": 20,
    "widthShift": 0.2,
    "heightShift": 0.2,
    "shearDegrees": 11,
    "zoom": 0.2,
    "horizontalFlip": True,
}
"""All six that people use."""

MODELS: dict[str, dict[str, Any]] = {
    "mlp": {"builtin": {"type": "MLP"}},
    "cnn": {"builtin": {"type": "CNN"}},
    "mobilenet": {"application": {"name": "MobileNetV2"}, "parameters": {"alpha": 0.35}},
}


def digits() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The 10,000 digits, [10000, 28, 28, 1], and their labels."""
    images = gzip.decompress((DIGITS / "t10k-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((DIGITS / "t10k-labels-idx1-ubyte.gz").read_bytes())
    return np.frombuffer(images, np.uint8, offset=16).reshape(-1, 28, 28, 1), np.frombuffer(labels, np.uint8, offset=8)


@dataclass(frozen=True)
class Subject:
    """A network with its samples."""

    name: str
    samples: Dataset

    @classmethod
    def of(cls, name: str) -> "Subject":
        """9,000 digits, or 512 coloured images of 96 x 96."""
        if name == "mobilenet":
            values = np.random.default_rng(1)
            images = values.integers(0, 256, (512, 96, 96, 3), dtype=np.uint8)
            return cls(name, Dataset(images, values.integers(0, 10, 512), classes=10))
        images, labels = digits()
        return cls(name, Dataset(images[:9000], labels[:9000].astype(np.int64), classes=10))

    @property
    def feed(self) -> Feed:
        """The samples as the trainer takes them."""
        return InMemory(self.samples)

    def network(self) -> Any:
        """The network with its first weights; it takes values from 0 to 1."""
        model = AttemptConfig.model_validate(_config(self.name, {})).model
        return build(model, shape=self.samples.shape, classes=self.samples.classes, seed=7)

    def as_floats(self) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Inputs from 0 to 1, and labels."""
        return self.samples.inputs.astype(np.float32) / np.float32(255), self.samples.labels


def context(name: str, gang: Gang, **spec: Any) -> Context:
    """The surroundings of one rank that reports to nobody."""
    config = AttemptConfig.model_validate(_config(name, spec, size=gang.size))
    return Context(
        config=config,
        settings=Settings.from_environment({}),
        paths=OutputPaths(root=open_output(config.output, mount=Path("/output"), access=Path("/")), config=config),
        gang=gang,
        progress=Progress(Reporter(None), attempt=1, speaks=False),
        is_interrupted=lambda: False,
    )


def _config(name: str, spec: dict[str, Any], *, size: int = 1) -> dict[str, Any]:
    return {
        "run": {"namespace": "bench", "name": "bench", "uid": "bench"},
        "attempt": 1,
        "strategy": "Single" if size == 1 else "Horovod",
        "replicas": 1,
        "processesPerWorker": size,
        "data": {"source": {"builtin": "MNIST10k"}},
        "model": MODELS[name],
        "training": {"epochs": 100, "batchSize": BATCH},
        "output": {"persistentVolumeClaim": {"claimName": "bench"}},
        **spec,
    }
