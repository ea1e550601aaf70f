"""The commonest mistakes of a newcomer, as kubectl and the API server answer them: the field, and what may stand there.

Only what is known at apply; what shows itself when a run starts is in `tests/e2e/test_mistakes.py`. Some are no mistakes any
more: they are understood.
"""

from dataclasses import dataclass

import pytest

from tools.kubectl import Kubectl, KubectlError

RUN = """\
apiVersion: trainingrun.dev/v1alpha1
kind: TrainingRun
metadata:
  name: digits
spec:
  data:
    source: {builtin: MNIST10k}
    validationFraction: 0.1
  model:
    builtin: {type: CNN}
    parameters: {filters: [16, 32], dropout: 0.2}
  training:
    epochs: 2
    optimizer: {name: Adam, learningRate: 0.001}
  output:
    persistentVolumeClaim: {claimName: models}
"""
BUILTIN = "    source: {builtin: MNIST10k}\n"
ARRAYS = "    source: {persistentVolumeClaim: {claimName: datasets}}\n    format: NPZ\n"


@dataclass(frozen=True)
class Mistake:
    """Text in the manifest, what somebody writes in its place, and what the answer has in it."""

    there: str
    typed: str
    words: tuple[str, ...]


MISTAKES = {
    "a number in quotes": Mistake(
        "validationFraction: 0.1", 'validationFraction: "0.1"', ("spec.data.validationFraction", "must be of type number")
    ),
    "a percentage": Mistake(
        "validationFraction: 0.1", "validationFraction: 10%", ("spec.data.validationFraction", "must be of type number")
    ),
    "a percentage as a number": Mistake(
        "validationFraction: 0.1", "validationFraction: 10", ("spec.data.validationFraction", "should be less than 1")
    ),
    "a decimal comma": Mistake(
        "learningRate: 0.001",
        'learningRate: "0,001"',
        ("spec.training.optimizer.learningRate", "should match '^Auto$|^(0*[1-9]"),
    ),
    "a negative number": Mistake(
        "learningRate: 0.001", "learningRate: -0.001", ("spec.training.optimizer.learningRate", "should be greater than 0")
    ),
    "a number that is too large": Mistake(
        "learningRate: 0.001",
        "learningRate: 2000",
        ("spec.training.optimizer.learningRate", "should be less than or equal to 1000"),
    ),
    "half an epoch": Mistake("epochs: 2", "epochs: 2.5", ("spec.training.epochs", "must be of type integer")),
    "no epoch": Mistake("epochs: 2", "epochs: 0", ("spec.training.epochs", "should be greater than or equal to 1")),
    "a unit that is none": Mistake(
        "  model:\n",
        "  workers: {resources: {limits: {memory: 2GB}}}\n  model:\n",
        ("spec.workers.resources.limits.memory", "should match '^[0-9]+(\\.[0-9]+)?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$'"),
    ),
    "GPUs among the resources": Mistake(
        "  model:\n",
        "  workers: {resources: {limits: {nvidia.com/gpu: 1}}}\n  model:\n",
        ('unknown field "spec.workers.resources.limits.nvidia.com/gpu"',),
    ),
    "a list for a map": Mistake(
        "  model:\n",
        "  workers: {nodeSelector: [{name: pool, value: gpu}]}\n  model:\n",
        ('unknown field "spec.workers.nodeSelector[0].name"',),
    ),
    "a map for a list": Mistake(
        "  model:\n", "  workers: {env: {DEBUG: '1'}}\n  model:\n", ('unknown field "spec.workers.env.DEBUG"',)
    ),
    "a number for the text of a variable": Mistake(
        "  model:\n",
        "  workers: {env: [{name: DEBUG, value: 1}]}\n  model:\n",
        ("spec.workers.env[0].value", "must be of type string"),
    ),
    "a number for a list": Mistake(
        "filters: [16, 32]", "filters: 32", ("spec.model.parameters.filters", "must be of type array")
    ),
    "a fraction as a percentage": Mistake(
        "dropout: 0.2", "dropout: 20", ("spec.model.parameters", "model.parameters.dropout must be from 0 to below 1")
    ),
    "a word in another case": Mistake("type: CNN", "type: cnn", ("spec.model.builtin.type", 'supported values: "MLP", "CNN"')),
    "a word that is misspelt": Mistake(
        "name: Adam", "name: Adagrad", ("spec.training.optimizer.name", 'supported values: "Adam", "AdamW", "SGD", "RMSprop"')
    ),
    "a field that is misspelt": Mistake("epochs: 2", "epoch: 2", ('unknown field "spec.training.epoch"',)),
    "a field as Python writes it": Mistake(
        "learningRate: 0.001", "learning_rate: 0.001", ('unknown field "spec.training.optimizer.learning_rate"',)
    ),
    "too little indentation": Mistake("    optimizer: {name", "  optimizer: {name", ('unknown field "spec.optimizer"',)),
    "too much indentation": Mistake("    epochs: 2", "      epochs: 2", ("error converting YAML to JSON", "line 13")),
    "a tab": Mistake("    epochs: 2", "\tepochs: 2", ("found character that cannot start any token",)),
    "a name that YAML takes for a truth value": Mistake(
        BUILTIN, f"{ARRAYS}    npz: {{labels: y}}\n", ("spec.data.npz.labels", "must be of type string")
    ),
    "no output": Mistake("  output:\n    persistentVolumeClaim: {claimName: models}\n", "", ("spec.output: Required value",)),
    "no format": Mistake(
        BUILTIN,
        "    source: {persistentVolumeClaim: {claimName: datasets}}\n",
        ("data.format is needed with data.source.persistentVolumeClaim", "IDX, NPZ, ImageFolder, TFRecord or CSV"),
    ),
    "two sources": Mistake(
        BUILTIN,
        "    source: {builtin: MNIST10k, uri: s3://digits}\n",
        ("data.source needs exactly one of", "keep one and remove the others"),
    ),
    "capitals in the name": Mistake("name: digits", "name: Digits", ("metadata.name", "lowercase RFC 1123 subdomain")),
    "an underscore in the name": Mistake("name: digits", "name: my_digits", ("metadata.name", "lowercase RFC 1123 subdomain")),
    "a long name": Mistake("name: digits", f"name: {'d' * 51}", ("metadata.name", "may not be more than 50 bytes")),
    "another version of the API": Mistake(
        "trainingrun.dev/v1alpha1", "trainingrun.dev/v1", ('no matches for kind "TrainingRun" in version "trainingrun.dev/v1"',)
    ),
    "a kind in another case": Mistake(
        "kind: TrainingRun", "kind: Trainingrun", ('no matches for kind "Trainingrun" in version "trainingrun.dev/v1alpha1"',)
    ),
    "an empty file": Mistake(RUN, "", ("no objects passed to apply",)),
    "a second document that is none": Mistake(RUN, f"{RUN}---\nepochs: 3\n", ("apiVersion not set", "kind not set")),
}


def typed(mistake: Mistake) -> str:
    assert mistake.there in RUN
    return RUN.replace(mistake.there, mistake.typed, 1)


def apply(kubectl: Kubectl, manifest: str) -> str:
    """What kubectl makes of a file; raises KubectlError when it is refused."""
    return kubectl.run("apply", "--dry-run=server", "-f", "-", stdin=manifest)


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_the_answer_names_the_field_and_what_may_stand_there(kubectl: Kubectl, mistake: Mistake) -> None:
    with pytest.raises(KubectlError) as refused:
        apply(kubectl, typed(mistake))
    said = str(refused.value)
    assert [words for words in mistake.words if words not in said] == [], said


UNDERSTOOD = {
    "as it is": ("epochs: 2", "epochs: 2"),
    "a number with an exponent": ("learningRate: 0.001", "learningRate: 1e-3"),
    "a learning rate in quotes": ("learningRate: 0.001", 'learningRate: "0.001"'),
    "a learning rate that is found": ("learningRate: 0.001", "learningRate: Auto"),
    "a whole number for a decimal": ("dropout: 0.2", "dropout: 0"),
    "two runs in a file": (RUN, f"{RUN}---\n{RUN.replace('name: digits', 'name: others')}"),
}


@pytest.mark.parametrize(("there", "written"), UNDERSTOOD.values(), ids=UNDERSTOOD)
def test_what_is_meant_is_understood(kubectl: Kubectl, there: str, written: str) -> None:
    assert "trainingrun.dev/digits" in apply(kubectl, RUN.replace(there, written, 1))


def test_a_field_that_cannot_change_alone_says_how_it_can(kubectl: Kubectl) -> None:
    kubectl.run("apply", "-f", "-", stdin=RUN)
    with pytest.raises(KubectlError, match=r"spec\.training cannot be changed alone .*: change spec\.rerun to a new value"):
        apply(kubectl, RUN.replace("epochs: 2", "epochs: 3"))
