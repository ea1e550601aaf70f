"""The tutorial, step by step: pictures on this disk, its manifests, its commands, its code."""

import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from tests.e2e.conftest import SMALL, Playground, make_claim
from tests.patience import patience
from tests.png import png
from tools.users import connected
from trainingrun.api import TrainingRun
from trainingrun.client.volume_pod import MOUNT, volume_pod

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "tutorial.md").read_text()
PICTURES = 60
"""Of each class."""


def blocks(language: str) -> list[str]:
    """The blocks of the page in a language, in their order."""
    return [textwrap.dedent(each) for each in re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)]


DRAW = """
import numpy as np
def draw(name, height, width, shift, colour, other):
    rows, columns = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j] + shift
    shape = rows**2 + columns**2 < 0.3 if name == "cat" else np.abs(rows) + np.abs(columns) < 0.3
    return np.where(shape[..., np.newaxis], colour, other).astype(np.uint8)
"""
SHOWN = (
    DRAW
    + """
for name in ("cat", "dog"):
    print(predict(draw(name, 64, 64, np.zeros((2, 1, 1)), (200, 180, 220), (50, 20, 60))))
"""
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reader's: with `examples`, and with `pets`, cats that are round and dogs that are not, of many sizes."""
    made = tmp_path_factory.mktemp("reader")
    (made / "examples").symlink_to(ROOT / "examples")
    random, draw = np.random.default_rng(1), drawing()
    for name in ("cat", "dog"):
        (made / "pets" / name).mkdir(parents=True)
        for number in range(PICTURES):
            size, shift = random.integers(60, 120, 2), random.uniform(-0.2, 0.2, (2, 1, 1))
            picture = draw(name, *size, shift, random.integers(150, 255, 3), random.integers(0, 100, 3))
            (made / "pets" / name / f"{number}.png").write_bytes(png(picture, colour=2))
    return made


@pytest.fixture(scope="module")
def shell(playground: Playground, folder: Path) -> Any:
    """Runs a block of commands in that folder, as a reader does whose kubectl is configured for the namespace."""
    kubectl = playground.kubectl
    programs = folder / "bin"
    programs.mkdir()
    (programs / "kubectl").symlink_to(kubectl.binary)
    (programs / "kubectl-trainingrun").symlink_to(Path(sys.executable).parent / "kubectl-trainingrun")
    config = yaml.safe_load(Path(kubectl.kubeconfig).read_text())
    for context in config["contexts"]:
        context["context"]["namespace"] = playground.namespace
    (folder / "kubeconfig").write_text(yaml.safe_dump(config))
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "KUBECONFIG": str(folder / "kubeconfig")}

    def run(block: str) -> str:
        done = subprocess.run(
            ["bash", "-ec", block],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=patience(120),
            check=False,
        )
        assert done.returncode == 0, f"{block}: {done.stdout}{done.stderr}"
        return done.stdout

    return run


def drawing() -> Any:
    """The function that draws a cat or a dog; as text, since it is also used in a pod."""
    names: dict[str, Any] = {}
    exec(DRAW, names)
    return names["draw"]


def merged(manifest: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """As a reader writes a later step into the file."""
    return {**manifest, "spec": {**manifest["spec"], **changes["spec"]}}


@pytest.fixture(scope="module")
def steps() -> Iterator[dict[str, Any]]:
    """The manifest of the page, as it is after each of its steps."""
    first, search, compression = (yaml.safe_load(block) for block in blocks("yaml"))
    better = merged(merged(first, search), {"spec": {"rerun": "2"}})
    return iter([first, merged(better, compression)])


def has_ended(run: TrainingRun, *, round_number: int) -> bool:
    return run.status.round == round_number and run.status.is_finished


@pytest.mark.long
def test_a_reader_comes_from_pictures_to_an_accepted_model(
    playground: Playground, folder: Path, shell: Any, steps: Iterator[dict[str, Any]]
) -> None:
    """Two minutes of training. What a laptop has and this cluster has not is left out: a provisioner of volumes, a screen."""
    for claim in ("datasets", "models"):
        make_claim(playground, claim)
    volumes, copy, apply, log, take = blocks("sh")
    shell(volumes)
    shell(copy.replace("cp ", f"cp --image {playground.played_image} "))
    for number, manifest in enumerate(steps, start=1):
        manifest["spec"].setdefault("workers", {})["resources"] = SMALL
        (folder / "pets.yaml").write_text(yaml.safe_dump(manifest))
        shell(apply.replace("--watch", ""))
        run = playground.wait("pets", "finished", partial(has_ended, round_number=number), timeout=400)
        assert run.status.failure is None, run.status.failure
    assert run.status.result is not None
    assert run.status.result.best is not None
    assert "data: 120 samples of 2 classes (cat 60, dog 60); 84 for training" in shell(log.replace("--follow", "--tail=-1"))

    shell(take.replace("--open", ""))
    assert (folder / "pets" / "result.json").is_file()
    assert list(folder.glob("*.html")) or list(folder.glob("*/*.html"))

    (code,) = blocks("python")
    best = folder / "pets" / f"{run.status.result.best.name}.tflite"
    assert best.is_file()
    with (
        connected(playground.kubectl) as client,
        volume_pod(client.cluster, claim="models", image=playground.installation.trainer_image) as pod,
    ):
        script = code.replace("pets/pruned-0.8-int8.tflite", f"{MOUNT}/pets/{best.name}") + SHOWN
        answers = playground.kubectl.run("exec", "-i", pod, "--", "python3", "-", stdin=script).split()
    assert answers[-2:] == ["0", "1"], "a cat and a dog, in the order of the names of the classes"
