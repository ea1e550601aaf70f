"""The same training over Open MPI and over Gloo, on two real pods under Pod Security `restricted`."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.conftest import SMALL, Playground

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "mnist-mpi.yaml"


def accuracy(playground: Playground, name: str, manifest: dict[str, Any]) -> float:
    """What a run of this manifest ends with."""
    manifest["metadata"]["name"] = name
    manifest["spec"]["workers"]["resources"] = SMALL
    playground.kubectl.apply(manifest)
    finished = playground.wait_until_finished(name, timeout=400)
    assert finished.status.result is not None, finished.status.failure
    assert finished.status.attempt == 1
    return {metric.name: float(metric.value) for metric in finished.status.result.metrics}["val_accuracy"]


def test_the_example_trains_as_it_does_over_gloo(playground: Playground) -> None:
    manifest = yaml.safe_load(EXAMPLE.read_text())
    over_mpi = accuracy(playground, "over-mpi", manifest)
    log = playground.kubectl.run("logs", "-l", "trainingrun.dev/run=over-mpi", "--tail=-1", "--prefix")
    assert "Server listening on" in log
    del manifest["spec"]["strategy"]["transport"]
    assert accuracy(playground, "over-gloo", manifest) == pytest.approx(over_mpi, abs=0.005)
    assert over_mpi > 0.9
