"""Watching with kubectl. What stands for it is a script."""

import gc
import itertools
import json
import time
from pathlib import Path

import pytest

from tests.patience import patience
from tools.kubectl import Kubectl, KubectlError


def a_kubectl(folder: Path, script: str, *, patience: float = 1.0) -> Kubectl:
    """One that runs a shell script."""
    program = folder / "kubectl"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return Kubectl(binary=str(program), kubeconfig=folder / "kubeconfig", namespace="team", patience=patience)


def an_event(number: int, *, kind: str = "MODIFIED") -> str:
    """As kubectl prints it: over several lines."""
    return json.dumps({"type": kind, "object": {"number": number, "text": "für"}}, indent=2, ensure_ascii=False)


def numbers(kubectl: Kubectl, *, timeout: float = 60) -> list[int]:
    return [seen["number"] for seen in kubectl.watch("trainingrun", "digits", timeout=timeout)]


def test_every_state_is_given_however_the_pipe_cuts_it(tmp_path: Path) -> None:
    text = "\n".join([an_event(1, kind="ADDED"), an_event(2), an_event(3), an_event(4, kind="DELETED")]).encode()
    cuts = [0, 5, text.index("ü".encode()) + 1, text.index(b"}\n}") + 1, len(text) - 3, len(text)]
    for at, (start, end) in enumerate(itertools.pairwise(cuts)):
        (tmp_path / f"part-{at}").write_bytes(text[start:end])
    script = "".join(f"cat {tmp_path}/part-{at}; sleep 0.02\n" for at in range(len(cuts) - 1))
    assert numbers(a_kubectl(tmp_path, f"{script}sleep 60")) == [1, 2, 3]


def test_the_object_is_asked_for_by_its_name_and_watched(tmp_path: Path) -> None:
    kubectl = a_kubectl(tmp_path, f"echo \"$@\" > {tmp_path}/asked; echo '{an_event(1, kind='DELETED')}'")
    assert numbers(kubectl) == []
    asked = (tmp_path / "asked").read_text().split()
    assert asked[:6] == ["--kubeconfig", str(tmp_path / "kubeconfig"), "--namespace", "team", "get", "trainingrun"]
    assert {"--field-selector=metadata.name=digits", "--watch", "json"} <= set(asked), "a list: else a change can be missed"


def test_a_watch_that_the_server_ends_is_begun_again(tmp_path: Path) -> None:
    again = f"if test -e {tmp_path}/seen; then echo '{an_event(9, kind='DELETED')}'; fi; touch {tmp_path}/seen"
    assert numbers(a_kubectl(tmp_path, f"{again}; echo '{an_event(1)}'")) == [1]


def test_what_kubectl_says_when_it_fails_is_raised(tmp_path: Path) -> None:
    with pytest.raises(KubectlError, match=r'trainingruns "digits" not found'):
        numbers(a_kubectl(tmp_path, "echo 'trainingruns \"digits\" not found' >&2; exit 1"))


def test_it_ends_with_its_time_and_so_does_kubectl(tmp_path: Path) -> None:
    kubectl = a_kubectl(tmp_path, f"echo $$ > {tmp_path}/pid; echo '{an_event(1)}'; exec sleep 60", patience=2)
    begun, seconds = time.monotonic(), patience(0.5)
    assert numbers(kubectl, timeout=seconds) == [1]
    assert time.monotonic() - begun >= 2 * seconds
    assert not Path("/proc", (tmp_path / "pid").read_text().strip()).exists()


def test_kubectl_ends_when_nobody_listens_any_more(tmp_path: Path) -> None:
    kubectl = a_kubectl(tmp_path, f"echo $$ > {tmp_path}/pid; echo '{an_event(1)}'; exec sleep 60")
    for _ in kubectl.watch("trainingrun", "digits", timeout=60):
        break
    pid = (tmp_path / "pid").read_text().strip()
    assert not Path("/proc", pid).exists()


def test_a_log_is_given_line_by_line_as_it_is_written(tmp_path: Path) -> None:
    script = (
        f"echo \"$@\" > {tmp_path}/asked; printf 'epo'; sleep 0.02; printf 'ch 1\\nepoch 2\\nepoch'; sleep 0.02; printf ' 3'"
    )
    assert list(a_kubectl(tmp_path, script).log("digits-1-0", timeout=60)) == ["epoch 1", "epoch 2", "epoch 3"]
    assert (tmp_path / "asked").read_text().split()[-3:] == ["logs", "digits-1-0", "--follow"]


def test_a_line_is_given_while_the_log_goes_on_and_kubectl_ends_with_its_reader(tmp_path: Path) -> None:
    kubectl = a_kubectl(tmp_path, f"echo $$ > {tmp_path}/pid; echo 'epoch 1'; exec sleep 60")
    assert any("epoch 1" in line for line in kubectl.log("digits-1-0", timeout=60))
    gc.collect()  # what nobody reads any more is closed
    assert not Path("/proc", (tmp_path / "pid").read_text().strip()).exists()
