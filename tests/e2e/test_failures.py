"""What a user sees when something is wrong with what the run names: one cause, in a sentence, and a way out.

What is wrong with data or memory, real ranks find; the rest nobody finds who trains, and the ranks play (`tests.rank`).
"""

import gzip
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster.embedded import EmbeddedCluster
from tests.e2e.conftest import DIGITS, SHORTEST, SMALL, TINY, Playground, a_claim, put, reason
from tests.patience import patience

ALONE = {"replicas": 1, "resources": SMALL}
IMAGES, LABELS = "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"


def data(path: str) -> dict[str, Any]:
    return {
        "source": {"persistentVolumeClaim": {"claimName": "datasets", "path": path}},
        "format": "IDX",
        "idx": {"images": IMAGES, "labels": LABELS},
    }


@pytest.fixture(scope="module", autouse=True)
def doomed(playground: Playground, digits: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The runs that end by themselves, which they all do at the same time."""
    folder = tmp_path_factory.mktemp("corrupt")
    (folder / IMAGES).write_bytes((DIGITS / IMAGES).read_bytes()[:100_000])
    (folder / LABELS).write_bytes((DIGITS / LABELS).read_bytes())
    put(playground, folder, path="corrupt")
    playground.start("no-data", spec__workers=ALONE, spec__data=data("mnist-1k"))
    playground.start("corrupt", spec__workers=ALONE, spec__data=data("corrupt"))
    resources = {"requests": {"cpu": "50m"}, "limits": {"memory": "250Mi"}}
    recovery = {"maximumRestarts": 0, "startTimeoutSeconds": round(patience(120))}
    playground.start("small", spec__workers={"replicas": 2, "resources": resources}, spec__recovery=recovery)


def test_a_missing_data_path_is_named_together_with_what_is_there(playground: Playground) -> None:
    failure = playground.wait_until_finished("no-data").status.failure
    assert failure is not None
    assert (failure.cause, failure.exit_code) == ("BadData", 65)
    assert "/data/mnist-1k does not exist" in failure.message
    assert "mnist-10k/" in failure.message


@pytest.mark.long
def test_a_gap_in_a_table_is_named_by_line_and_column_and_can_be_left_out(playground: Playground, tmp_path: Path) -> None:
    rows = "".join(
        f"{count % 7},{count % 2},{'' if count == 9 else count},{'odd' if count % 2 else 'even'}\n" for count in range(200)
    )
    (tmp_path / "numbers.csv").write_text("a,b,id,kind\n" + rows)
    put(playground, tmp_path, path="table")
    table = {**data("table"), "format": "CSV", "csv": {"labelColumn": "kind"}}
    del table["idx"]
    playground.start("table", spec__workers=ALONE, spec__data=table)
    failed = playground.wait_until_finished("table")
    assert failed.status.failure is not None
    assert "numbers.csv, line 11, column id: '' is no finite number" in failed.status.failure.message
    without = {**table, "csv": {"labelColumn": "kind", "ignoredColumns": ["id"]}}
    playground.start("table", spec__workers=ALONE, spec__data=without, spec__rerun="without the gap")
    playground.wait("table", "in its second round", lambda run: run.status.round == 2)
    finished = playground.wait_until_finished("table")
    assert finished.status.result is not None, finished.status.failure


def test_a_corrupt_file_is_named_and_not_tried_again(playground: Playground) -> None:
    run = playground.wait_until_finished("corrupt")
    assert run.status.failure is not None
    assert run.status.failure.cause == "BadData"
    assert f"{IMAGES} is no readable gzip file" in run.status.failure.message
    assert run.status.attempt == 1


@pytest.mark.long
def test_a_label_out_of_range_is_named_with_its_position(playground: Playground, tmp_path: Path) -> None:
    labels = bytearray(gzip.decompress((DIGITS / LABELS).read_bytes()))
    labels[8 + 4711] = 200
    (tmp_path / LABELS).write_bytes(gzip.compress(bytes(labels)))
    (tmp_path / IMAGES).write_bytes((DIGITS / IMAGES).read_bytes())
    put(playground, tmp_path, path="mislabelled")
    playground.start("mislabelled", spec__workers=ALONE, spec__data=data("mislabelled"))
    failure = playground.wait_until_finished("mislabelled").status.failure
    assert failure is not None
    assert "label 200 of sample 4711 is out of range" in failure.message


def test_a_missing_claim_stalls_the_run_until_it_is_created(playground: Playground) -> None:
    output = {"persistentVolumeClaim": {"claimName": "later"}}
    patient = 2 * SHORTEST  # it waits for the claim, and then starts within as long
    playground.play("no-claim", workers=1, spec__output=output, spec__recovery={"startTimeoutSeconds": patient})
    stalled = playground.wait("no-claim", "stalled", lambda run: run.status.condition("Stalled") is not None, timeout=60).status
    condition = stalled.condition("Stalled")
    assert condition is not None
    assert condition.reason == "ClaimNotFound"
    assert "There is no PersistentVolumeClaim later (spec.output.persistentVolumeClaim.claimName)" in condition.message
    assert not stalled.is_finished
    playground.installation.cluster.volume(claim="later", namespace=playground.namespace)
    playground.kubectl.apply(a_claim("later"))
    assert playground.wait_until_finished("no-claim").status.result is not None


def test_a_missing_image_is_named_at_once_ends_the_run_after_the_start_timeout_and_can_be_replaced(
    playground: Playground,
) -> None:
    playground.start(
        "no-image",
        spec__image="registry.invalid/trainer:none",
        spec__recovery={"startTimeoutSeconds": SHORTEST, "maximumRestarts": 0},
    )
    waiting = playground.wait("no-image", "waiting for its image", lambda run: reason(run) == "ImagePull", timeout=60)
    assert "registry.invalid/trainer:none" in waiting.status.conditions[0].message
    failure = playground.wait_until_finished("no-image").status.failure
    assert failure is not None
    assert failure.cause == "ImagePull"
    assert "spec.image" in failure.hint
    change = {
        "image": playground.played_image,
        "workers": {"replicas": 1, "resources": TINY},
        "recovery": {"startTimeoutSeconds": 600},  # this start is not meant to take too long
        "rerun": "with one that is there",
    }
    playground.kubectl.run("patch", "trun", "no-image", "--type=merge", "-p", json.dumps({"spec": change}))
    playground.wait("no-image", "finished well", lambda run: run.status.result is not None)


def test_gpus_that_no_node_has_are_named_and_cost_nothing(playground: Playground) -> None:
    gpus = {"replicas": 2, "accelerator": {"gpu": {"count": 8, "minimumMemory": "40G"}}}
    image = playground.installation.trainer_image
    playground.start("no-gpu", spec__image=image, spec__workers=gpus, spec__recovery={"startTimeoutSeconds": SHORTEST})
    waiting = playground.wait("no-gpu", "waiting for GPUs", lambda run: reason(run) == "Unschedulable", timeout=60)
    assert (
        "it needs 8 GPUs with at least 40G on one node; no node offers nvidia.com/gpu." in waiting.status.conditions[0].message
    )
    again = playground.wait("no-gpu", "tried again", lambda run: run.status.attempt > 1, timeout=90).status
    assert (again.restarts, again.condition("Stalled")) == (0, None)
    assert again.ledger is not None
    assert again.ledger.accelerator_seconds == 0
    playground.kubectl.delete("trainingrun", "no-gpu")


def test_too_small_a_memory_limit_is_named_with_rank_and_hint(playground: Playground) -> None:
    failure = playground.wait_until_finished("small").status.failure
    assert failure is not None
    assert failure.cause == "OOMKilled"
    assert failure.rank in (0, 1)
    assert "spec.workers.resources.limits.memory (now 250Mi)" in failure.hint


@pytest.fixture
def small_disk(playground: Playground) -> Iterator[str]:
    """A claim with 300 KiB of space: a checkpoint takes more."""
    cluster, claim = playground.installation.cluster, "small"
    if not isinstance(cluster, EmbeddedCluster):
        pytest.skip("only the embedded cluster's volumes are folders of this machine")  # no other can be given so small a disk
    cluster.volume(claim=claim, namespace=playground.namespace)
    folder = cluster.layout().volumes / f"{playground.namespace}-{claim}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k,mode=777", "tmpfs", folder], check=True)
    try:
        playground.kubectl.apply(a_claim(claim))
        yield claim
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)  # pods of runs that have ended still hold it


def test_a_full_output_is_named(playground: Playground, small_disk: str) -> None:
    output = {"persistentVolumeClaim": {"claimName": small_disk}}
    large = {"PLAYED_CHECKPOINT_BYTES": "400000"}
    playground.play("full", workers=1, variables=large, spec__output=output, spec__recovery={"maximumRestarts": 0})
    failure = playground.wait_until_finished("full").status.failure
    assert failure is not None
    assert failure.cause == "OutputFailed", failure
    assert "No space left on device" in failure.message
    assert "has space" in failure.hint
