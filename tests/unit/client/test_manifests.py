"""From what people write to what the API server takes."""

import pytest

from trainingrun.client import UsageError, manifests, owners

TEXT = {"type": "string"}
NUMBER = {"type": "number"}


def test_numbers_are_written_as_the_schema_has_them() -> None:
    schema = {"properties": {"learningRate": TEXT, "momentum": NUMBER, "labels": {"additionalProperties": TEXT}}}
    made = manifests.wire_form({"learning_rate": 1e-3, "momentum": "0.9", "labels": {"my_label": "a"}}, schema=schema)
    assert made == {"learningRate": "0.001", "momentum": 0.9, "labels": {"my_label": "a"}}


@pytest.mark.parametrize(("value", "text"), [(1e-3, "0.001"), (1e-7, "1e-07"), (20.0, "20"), (0.5, "0.5"), (3, "3")])
def test_decimals_are_plain(value: float, text: str) -> None:
    assert manifests.decimal_text(value) == text


def test_assignments_become_a_patch() -> None:
    patch = manifests.changed(["spec.training.epochs=30", "training.batchSize=null", "workers.resources.limits.memory=4Gi"])
    assert patch == {"training": {"epochs": 30, "batchSize": None}, "workers": {"resources": {"limits": {"memory": "4Gi"}}}}


@pytest.mark.parametrize(
    "texts", [["epochs"], ["=3"], ["training..epochs=3"], ["training.epochs=["], ["a=1", "a.b=1"]], ids=str
)
def test_what_is_no_assignment_is_said(texts: list[str]) -> None:
    with pytest.raises(UsageError, match=r"is no assignment|has no value that is YAML|below one"):
        manifests.changed(texts)


WRONG = {
    "another kind": ("kind: Pod\nmetadata: {name: a}", "holds Pod, but only kind TrainingRun"),
    "no name": ("kind: TrainingRun", "has no metadata.name"),
    "nothing": ("---\n", "holds no TrainingRun"),
    "a list": ("- a", "holds list"),
    "no YAML": ("a: [", "is no YAML"),
}


@pytest.mark.parametrize(("text", "said"), WRONG.values(), ids=WRONG)
def test_a_file_that_holds_no_runs_is_said(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=f"^(A TrainingRun of )?file.yaml {said}"):
        manifests.parse(text, where="file.yaml")


OWNERS = {
    "Argo CD by annotation": ({}, {"argocd.argoproj.io/tracking-id": "team:trainingrun.dev/TrainingRun:a/b"}, "Argo CD (team)"),
    "Flux": ({"kustomize.toolkit.fluxcd.io/name": "runs"}, {}, "Flux (runs)"),
    "nobody": ({"app": "a"}, {}, None),
}


@pytest.mark.parametrize(("labels", "annotations", "owner"), OWNERS.values(), ids=OWNERS)
def test_who_keeps_a_run_as_git_says_is_known(labels: dict[str, str], annotations: dict[str, str], owner: str | None) -> None:
    assert owners.git_owner(labels, annotations) == owner
