"""TrainingRuns from Python: create, watch, wait, read logs and reports. `pip install trainingrun[client]`.

    from trainingrun.client import TrainingClient

    run = TrainingClient().train(
        "digits",
        data={"source": {"builtin": "MNIST10k"}},
        model={"builtin": {"type": "MLP"}},
        training={"epochs": 3, "optimizer": {"learning_rate": 1e-3}},
        output={"persistent_volume_claim": {"claim_name": "models"}},
    )
    run.wait(on_update=lambda run: print(run.status.columns))

`port` says what is needed of a cluster, and `kube` has it from a real one.
"""

from trainingrun.client.client import TrainingClient
from trainingrun.client.errors import (
    NotFoundError,
    RefusedError,
    ReportError,
    RunFailed,
    TrainingRunError,
    UnreachableError,
    UsageError,
    WaitTimeoutError,
)
from trainingrun.client.logs import Line
from trainingrun.client.run import Run

__all__ = [
    "Line",
    "NotFoundError",
    "RefusedError",
    "ReportError",
    "Run",
    "RunFailed",
    "TrainingClient",
    "TrainingRunError",
    "UnreachableError",
    "UsageError",
    "WaitTimeoutError",
]
