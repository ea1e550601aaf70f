"""`kubectl trainingrun`, from a file to a report: what a user types. The ranks play (`tests.rank`)."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import TINY, Playground
from tests.manifests import a_manifest
from tests.patience import patience

PROGRAM = Path(sys.executable).parent / "kubectl-trainingrun"


class Command:
    """Runs the command as a user does, beside the cluster, in one namespace."""

    def __init__(self, playground: Playground, folder: Path) -> None:
        self._folder = folder
        scope = {"KUBECONFIG": str(playground.kubectl.kubeconfig), "NO_COLOR": "1"}
        self._environment = {**os.environ, **scope}
        self._namespace = playground.namespace

    def __call__(self, *arguments: str, code: int = 0) -> str:
        """What it printed, with what it said on standard error at the end."""
        line = [str(PROGRAM), *arguments, "-n", self._namespace]
        done = subprocess.run(
            line, env=self._environment, cwd=self._folder, capture_output=True, text=True, timeout=patience(180), check=False
        )
        assert done.returncode == code, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr


@pytest.fixture
def command(playground: Playground, tmp_path: Path) -> Command:
    """The command, in a folder of its own."""
    return Command(playground, tmp_path)


def a_file(folder: Path, playground: Playground, name: str, **spec: Any) -> str:
    """A file with a run whose ranks play."""
    workers = {"replicas": 1, "resources": TINY}
    run = a_manifest(name, spec__image=playground.played_image, spec__workers=workers, **spec)
    (folder / f"{name}.yaml").write_text(json.dumps(run))
    return f"{name}.yaml"


def test_a_run_from_its_file_to_its_report(playground: Playground, command: Command, tmp_path: Path) -> None:
    file = a_file(tmp_path, playground, "digits", spec__training={"epochs": 3})
    assert "is well" in command("lint", "-f", file)
    told = command("run", "-f", file, "--watch")
    assert "Succeeded" in told
    assert "report digits --open" in told
    assert "digits is Succeeded" in command("why", "digits")
    assert "epoch=3 stage=Training" in command("logs", "digits")
    assert "[rank 0]" in command("logs", "digits", "--rank", "0")
    curves = [line.split(",")[:3] for line in command("metrics", "digits", "-o", "csv").splitlines()]
    assert curves == [["stage", "course", "epoch"], *(["Training", "", str(epoch)] for epoch in (1, 2, 3))]

    command("rerun", "digits", "--set", "training.epochs=2", "--watch")
    assert playground.get("digits").status.round == 2
    assert "digits" in command("list", "--state", "Succeeded")
    copied = command("artifacts", "digits", "--into", "output")
    assert "output/digits/result.json" in copied
    assert (tmp_path / "output" / "digits" / "logs" / "1" / "0.log").is_file()
    playground.kubectl.run("delete", "pods", "-l", "trainingrun.dev/run=digits")
    assert "Training,,2," in command("metrics", "digits", "-o", "csv"), "the copy on the output outlives the pods"


def test_a_run_is_suspended_and_goes_on_while_its_log_is_followed(
    playground: Playground, command: Command, tmp_path: Path
) -> None:
    file = a_file(tmp_path, playground, "paused", spec__training={"epochs": 400})
    command("run", "-f", file)
    playground.wait_for_epoch("paused", 2)
    command("suspend", "paused")
    playground.wait(
        "paused", "suspended", lambda run: run.status.columns is not None and run.status.columns.status == "Suspended"
    )
    assert "kubectl trainingrun resume paused" in command("why", "paused")
    command("resume", "paused")
    playground.wait("paused", "in its second attempt", lambda run: run.status.attempt == 2)
    before = playground.get("paused").status.checkpoint
    assert before is not None
    playground.wait_for_epoch("paused", before.epoch + 1)
    told = command("metrics", "paused", "-o", "csv").splitlines()[1:]
    assert [int(line.split(",")[2]) for line in told] == list(range(1, len(told) + 1)), "those of the first attempt, too"
    assert "paused has not ended" in command("watch", "paused", "--timeout", "1", code=124)


def test_a_folder_goes_to_a_claim_and_comes_back(playground: Playground, command: Command, tmp_path: Path) -> None:
    pets = tmp_path / "pets"
    (pets / "cat").mkdir(parents=True)
    (pets / "cat" / "1.bin").write_bytes(bytes(range(256)) * 4096)
    (pets / "läufer.txt").write_text("ü")
    image = ("--image", playground.played_image)
    assert "2 files are at pvc/models:data/pets" in command("cp", "pets", "pvc/models:data/pets", *image)
    command("cp", "pvc/models:data/pets", "back", *image)
    assert (tmp_path / "back" / "pets" / "cat" / "1.bin").read_bytes() == (pets / "cat" / "1.bin").read_bytes()
    assert (tmp_path / "back" / "pets" / "läufer.txt").read_text() == "ü"
    told = command("cp", "pvc/models:data/dogs", "back", *image, code=1)
    assert "data/dogs of the claim models cannot be read: it does not exist; there is: pets." in told
    assert playground.kubectl.run("get", "pods", "-l", "trainingrun.dev/volume-pod", "-o", "name") == ""


def test_what_the_cluster_refuses_is_said_before_anything_is_made(
    playground: Playground, command: Command, tmp_path: Path
) -> None:
    file = a_file(tmp_path, playground, "wrong", spec__training={"epochs": 0, "epoch": 3}, spec__output={"uri": "s3://a/b"})
    told = command("lint", "-f", file, code=1)
    assert "epoch" in told
    missing = a_file(tmp_path, playground, "missing", spec__output={"persistentVolumeClaim": {"claimName": "nothing"}})
    assert "There is no PersistentVolumeClaim nothing (spec.output" in command("lint", "-f", missing, code=1)


def test_the_doctor_finds_the_operator(command: Command) -> None:
    assert "ok operator trainingrun-system/trainingrun-operator" in command("doctor")
