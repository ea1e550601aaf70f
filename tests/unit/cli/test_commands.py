"""The command, in this process: what it prints, and how it ends."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import yaml

from tests.unit.client.api_server import Store
from tests.unit.client.runs import a_pod, a_run
from trainingrun.cli import moving
from trainingrun.cli.__main__ import main
from trainingrun.cli.app import app
from trainingrun.cli.options import Place
from trainingrun.client import copying
from trainingrun.curves import Epoch
from trainingrun.version import VERSION

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(server: tuple[Store, Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs the command with the kubeconfig of the API server: exit code, standard output and standard error."""
    monkeypatch.setenv("KUBECONFIG", str(server[1]))

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(list(arguments))
        out = capsys.readouterr()
        return code, out.out, out.err

    return run


def test_help_needs_no_cluster_and_names_every_verb(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/nowhere")
    code, out, _ = command("--help")
    verbs = (
        "list get why watch logs metrics run init lint suspend resume rerun report artifacts cp compare presets doctor version "
        "completion"
    )
    assert code == 0
    assert [verb for verb in verbs.split() if f"\n  {verb} " not in out] == []


def test_the_page_tells_of_every_verb_and_shows_what_why_prints(store: Store, command: Command) -> None:
    page = (Path(__file__).parents[3] / "docs" / "how-to" / "kubectl.md").read_text()
    verbs = [info.name or info.callback.__name__ for info in app.registered_commands if info.callback is not None]
    assert [verb for verb in verbs if f"`{verb}" not in page and f"trainingrun {verb}" not in page] == []
    sentence = next(line.strip() for line in page.splitlines() if "There is no PersistentVolumeClaim" in line)
    store.put("trainingruns", a_run(state="Waiting", reason="ClaimNotFound", message=sentence))
    first, *rest = command("why", "digits")[1].splitlines()
    assert first.startswith("digits is Waiting (ClaimNotFound) for ")
    assert "\n".join(rest) in page


def test_runs_are_listed_in_columns(store: Store, command: Command) -> None:
    store.put("trainingruns", a_run("digits"))
    store.put("trainingruns", a_run("pets", state="Failed"))
    code, out, _ = command("list")
    assert (code, [line.split()[:2] for line in out.splitlines()]) == (
        0,
        [["NAME", "STATUS"], ["digits", "Running"], ["pets", "Failed"]],
    )
    assert "\x1b" not in out, "no colours in a pipe"
    assert command("list", "--state", "failed", "-o", "name")[1] == "trainingrun.trainingrun.dev/pets\n"
    assert [item["metadata"]["name"] for item in json.loads(command("list", "-A", "-o", "json")[1])["items"]] == [
        "digits",
        "pets",
    ]
    assert command("list", "-n", "other")[2].startswith("There is no such run in namespace other")


def test_objects_are_printed_as_kubectl_does(store: Store, command: Command) -> None:
    store.put("trainingruns", a_run())
    assert yaml.safe_load(command("get", "digits", "-o", "yaml")[1])["metadata"]["uid"] == "uid-digits"
    assert "digits" in command("get", "digits")[1]


def test_why_has_the_sentence_the_evidence_and_the_next_command(store: Store, command: Command) -> None:
    store.put("trainingruns", a_run(state="Waiting", reason="ClaimNotFound", message="There is no claim [models]."))
    store.put("pods", a_pod())
    about = {"kind": "Pod", "name": "digits-1-0", "uid": "uid-digits-1-0"}
    warning = {"type": "Warning", "reason": "FailedMount", "message": "no secret", "involvedObject": about}
    store.put("events", {"metadata": {"name": "e"}, **warning})
    store.put("events", {"metadata": {"name": "f"}, **warning, "involvedObject": {**about, "uid": "another"}})
    code, out, _ = command("why", "digits")
    assert code == 0
    assert out.startswith("digits is Waiting (ClaimNotFound) for ")
    assert out.count("no secret") == 1, "what is said of others is no evidence"
    assert [line.strip() for line in out.splitlines() if line.startswith("  ")] == [
        "There is no claim [models].",
        "pod/digits-1-0: FailedMount. no secret",
        "kubectl get persistentvolumeclaims -n team",
    ]


def test_a_run_is_made_and_watched_to_its_end(store: Store, command: Command, tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text(yaml.safe_dump(a_run(state="Succeeded")))
    code, out, err = command("run", "-f", str(file), "--watch")
    assert code == 0, err
    assert out.splitlines()[0] == "trainingrun.trainingrun.dev/digits"
    assert "Succeeded" in out
    assert "report digits --open" in err
    code, _, err = command("run", "-f", str(file))
    assert (code, err) == (1, "trainingruns digits already exists\n")


def test_a_run_that_fails_ends_the_watch_with_1(store: Store, command: Command) -> None:
    store.put("trainingruns", a_run(state="Failed", failure={"cause": "BadData", "message": "No samples."}))
    code, _, err = command("watch", "digits")
    assert (code, err) == (1, "The run digits has failed: BadData. No samples.\n")


def test_time_that_is_over_is_124(store: Store, command: Command) -> None:
    store.put("trainingruns", a_run())
    code, _, err = command("watch", "digits", "--timeout", "1")
    assert code == 124
    assert "why it takes so long: kubectl trainingrun why digits" in err


@pytest.mark.parametrize(
    "arguments",
    [
        ["lst"],
        ["get"],
        ["list", "-o", "csv"],
        ["compare", "a"],
        ["cp", "a", "b"],
        ["logs", "digits", "--rank", "1", "--worker", "0"],
    ],
    ids=" ".join,
)
def test_what_cannot_be_meant_is_64_and_a_sentence(command: Command, arguments: list[str]) -> None:
    code, out, err = command(*arguments)
    assert (code, out) == (64, "")
    assert err.rstrip().endswith((".", "verbs.", "pets."))


def test_a_cluster_that_does_not_answer_is_69(server: tuple[Store, Path], command: Command, tmp_path: Path) -> None:
    file = tmp_path / "other"
    file.write_text(server[1].read_text().replace("127.0.0.1", "127.0.0.1:1/x"))
    assert command("list", "--kubeconfig", str(file))[0] == 69
    assert command("list", "--kubeconfig", str(tmp_path / "missing"))[0] == 69


def test_changes_by_hand_warn_where_git_decides(store: Store, command: Command) -> None:
    run = a_run()
    run["metadata"]["labels"] = {"argocd.argoproj.io/instance": "team"}
    store.put("trainingruns", run)
    for verb in ("suspend", "resume", "rerun"):
        code, _, err = command(verb, "digits")
        assert code == 0
        assert err.startswith("Warning: Argo CD (team) owns the run digits")
    code, _, _ = command("rerun", "digits", "--set", "training.epochs=7")
    assert store.objects["trainingruns", "team", "digits"]["spec"]["training"]["epochs"] == 7


def test_logs_are_what_the_worker_said(store: Store, command: Command) -> None:
    store.put("trainingruns", a_run())
    store.put("pods", a_pod())
    store.logs["digits-1-0"] = ["epoch [1]", "epoch [2]"]
    assert command("logs", "digits") == (0, "epoch [1]\nepoch [2]\n", "")


def test_metrics_are_a_table_with_curves_and_rows_for_programs(store: Store, command: Command) -> None:
    store.put("trainingruns", a_run())
    store.put("pods", a_pod())
    told = [Epoch(number, "Training", {"loss": 1 / number, "val_accuracy": number / 10}) for number in (1, 2, 3)]
    told.append(Epoch(1, "Pruning", {"loss": 0.002}, course="pruned-0.8"))
    store.logs["digits-1-0"] = ["[rank 0] tensorflow 2.21", *(f"[rank 0] {epoch.line()}" for epoch in told)]
    code, out, err = command("metrics", "digits")
    assert code == 0
    assert out.splitlines() == [
        "STAGE      COURSE       EPOCH   LOSS        VAL_ACCURACY",
        "Training                1       1.0000      0.1000",
        "Training                2       0.5000      0.2000",
        "Training                3       0.3333      0.3000",
        "Pruning    pruned-0.8   1       2.000e-03",
    ]
    assert err.split() == ["loss", "█▄▃▁", "1.0000", "to", "2.000e-03", "val_accuracy", "▁▅█", "0.1000", "to", "0.3000"]
    assert json.loads(command("metrics", "digits", "-o", "json")[1])[3] == {
        "stage": "Pruning",
        "course": "pruned-0.8",
        "epoch": 1,
        "loss": 0.002,
    }
    assert command("metrics", "digits", "-o", "csv")[1].splitlines()[-2:] == [
        "Training,,3,0.3333,0.3",
        "Pruning,pruned-0.8,1,0.002,",
    ]
    store.logs["digits-1-0"] = []
    assert command("metrics", "digits") == (0, "", "No epoch of digits has ended yet.\n")


def test_a_first_manifest_is_made_of_a_folder_without_a_cluster(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", "/nowhere")
    monkeypatch.chdir(tmp_path)
    for name in ("cat/1.jpg", "dog/1.jpg", ".git/x.csv", "__MACOSX/cat/1.jpg"):
        (tmp_path / "My Pets" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "My Pets" / name).touch()
    code, out, err = command("init", "My Pets")
    assert code == 0
    made = yaml.safe_load(out)
    assert (made["metadata"]["name"], made["spec"]["data"]["format"]) == ("my-pets", "ImageFolder")
    assert "2 classes: cat, dog." in err
    assert "kubectl trainingrun cp 'My Pets' pvc/datasets:my-pets" in err

    np.savez(tmp_path / "digits.npz", x_train=np.zeros((5, 8, 8), np.uint8), y_train=np.arange(5))
    code, out, err = command("init", "digits.npz", "--name", "first")
    assert yaml.safe_load(out)["spec"]["data"]["npz"] == {"file": "digits.npz", "images": "x_train", "labels": "y_train"}
    assert "pvc/datasets:digits/digits.npz" in err
    (tmp_path / "digits.npz").write_bytes(b"PK no")
    code, out, err = command("init", "digits.npz")
    assert (code, out) == (64, "")
    assert "digits.npz is no NPZ file that can be read" in err
    assert command("init", "nothing")[2].startswith("There is no nothing: name the folder")


def test_lint_says_what_is_missing(store: Store, command: Command, tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    run = a_run()
    run["spec"]["preset"] = "small"
    file.write_text(yaml.safe_dump(run))
    code, _, err = command("lint", "-f", str(file))
    assert code == 1
    assert err.splitlines() == [
        "digits: There is no PersistentVolumeClaim models (spec.output.persistentVolumeClaim.claimName) in namespace team: "
        "make it, or the run waits for it.",
        "digits: There is no TrainingPreset small (spec.preset): make it, or the run waits for it.",
    ]


def test_runs_are_compared(store: Store, command: Command) -> None:
    store.put("trainingruns", a_run("a"))
    other = a_run("b", state="Failed")
    other["spec"]["training"]["epochs"] = 9
    store.put("trainingruns", other)
    out = command("compare", "a", "b")[1]
    assert "training.epochs   2   9" in out


def test_the_doctor_says_what_is_missing(store: Store, command: Command) -> None:
    code, out, _ = command("doctor")
    assert code == 1
    assert "!! trainingruns.trainingrun.dev is missing: install TrainingRun." in out
    for plural in ("trainingruns", "trainingpresets"):
        store.put("customresourcedefinitions", {"metadata": {"name": f"{plural}.trainingrun.dev"}}, namespace="")
    container = {"image": "operator:7", "env": [{"name": "TRAINER_IMAGE", "value": "trainer:7"}]}
    deployment = {"spec": {"replicas": 2, "template": {"spec": {"containers": [container]}}}, "status": {"readyReplicas": 2}}
    labels = {"app.kubernetes.io/name": "trainingrun-operator"}
    store.put("deployments", {"metadata": {"name": "trainingrun-operator", "labels": labels}, **deployment}, namespace="system")
    code, out, _ = command("doctor")
    assert code == 0
    assert "ok operator system/trainingrun-operator: 2 of 2 ready, operator:7" in out
    store.denied.add("trainingruns")
    assert "!! you may not create runs in namespace team: ask who administers it." in command("doctor")[1]


def test_versions(command: Command) -> None:
    assert command("version", "--client") == (0, f"kubectl-trainingrun {VERSION}\n", "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_learns_the_verbs(command: Command, shell: str) -> None:
    assert "_KUBECTL_TRAININGRUN_COMPLETE" in command("completion", shell)[1]


def test_a_copy_says_now_and_then_how_far_it_is(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def upload(cluster: object, source: Path, *, say: Callable[[str], None], **_: object) -> int:
        for number in range(2500):
            say(f"cat/{number}.jpg")
        return 2500

    monkeypatch.setattr(moving, "client", lambda place: SimpleNamespace(cluster=None, namespace="team"))
    monkeypatch.setattr(copying, "upload", upload)
    moving.copy(Place(None, None, None), "pets", "pvc/datasets:pets", image="python:3.12")
    said = ["1,000 files, cat/999.jpg the last", "2,000 files, cat/1999.jpg the last", "2500 files are at pvc/datasets:pets."]
    assert capsys.readouterr().err.splitlines() == said
