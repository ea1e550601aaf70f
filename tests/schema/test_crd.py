"""The CRD on a real API server: defaults, types, every rule both ways, and the words of every refusal."""

from pathlib import Path
from typing import Any

import pytest

from tests.manifests import a_manifest
from tests.schema.applying import dry_run, refusal
from tools.kubectl import Kubectl

ROOT = Path(__file__).parent.parent.parent
PVC = {"persistentVolumeClaim": {"claimName": "datasets", "path": "mnist"}}

S3 = {"uri": "s3://datasets/mnist"}
CA = {"certificateAuthority": {"configMapKeyRef": {"name": "ca", "key": "ca.crt"}}}
ACCESS = {"secretName": "reader", "endpoint": "https://minio.storage:9000", **CA}


def test_the_crd_fits_into_a_plain_kubectl_apply() -> None:
    assert (ROOT / "crds" / "trainingruns.yaml").stat().st_size < 200_000


@pytest.mark.parametrize("example", sorted((ROOT / "examples").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_example_is_accepted(kubectl: Kubectl, example: Path) -> None:
    kubectl.run("apply", "--dry-run=server", "-f", str(example))


def test_defaults_are_filled_in_and_the_status_begins_unobserved(kubectl: Kubectl) -> None:
    stored = dry_run(kubectl, a_manifest())
    assert stored["spec"]["workers"] == {
        "replicas": 1,
        "resources": {"requests": {}, "limits": {}},
        "network": {},
        "securityContext": {},
        "terminationGracePeriodSeconds": 30,
    }
    assert stored["spec"]["recovery"] == {
        "maximumRestarts": 3,
        "startTimeoutSeconds": 600,
        "hangTimeoutSeconds": 600,
        "lostNode": "Wait",
    }
    assert stored["spec"]["rerun"] == ""
    assert stored["spec"]["training"]["optimizer"] == {"name": "Adam", "learningRate": 0.001, "momentum": 0}
    assert stored["status"]["observedGeneration"] == -1


EMPTY: dict[str, dict[str, Any]] = {
    **{block: {f"spec__{block}": {}} for block in ("workers", "strategy", "augmentation", "training", "recovery")},
    **{
        f"training.{block}": {f"spec__training__{block}": {}}
        for block in ("optimizer", "schedule", "earlyStopping", "regularization", "checkpoint")
    },
    "data.idx": {"spec__data": {"source": PVC, "format": "IDX", "idx": {}}},
    "data.npz": {"spec__data": {"source": PVC, "format": "NPZ", "npz": {}}},
    "data.imageFolder": {"spec__data": {"source": PVC, "format": "ImageFolder", "imageFolder": {}}},
    "data.damaged": {
        "spec__data": {"source": PVC, "format": "ImageFolder", "damaged": "Skip", "maximumDamaged": 20},
    },
    "data.damaged, refused as by default": {"spec__data": {"source": PVC, "format": "CSV", "damaged": "Refuse"}},
    "names with spaces and letters of any script": {
        "spec__data": {
            "source": {"persistentVolumeClaim": {"claimName": "datasets", "path": "Données (2024)/été"}},
            "format": "CSV",
            "csv": {"files": "feuille n° 1/März *.csv"},
        },
    },
    "data.tfRecord": {"spec__data": {"source": PVC, "format": "TFRecord", "tfRecord": {}}},
    "data.csv": {"spec__data": {"source": PVC, "format": "CSV", "csv": {}}},
    "one epoch": {"spec__training__epochs": 1},
}


@pytest.mark.parametrize("changes", EMPTY.values(), ids=EMPTY)
def test_defaults_alone_pass_every_rule(kubectl: Kubectl, changes: dict[str, Any]) -> None:
    dry_run(kubectl, a_manifest(**changes))


def test_every_default_written_out_passes_every_rule(kubectl: Kubectl) -> None:
    stored = dry_run(kubectl, a_manifest())
    again = dry_run(kubectl, a_manifest(spec=stored["spec"]))
    assert again["spec"] == stored["spec"]


ACCEPTED: dict[str, dict[str, Any]] = {
    "IDX on a claim": {
        "spec__data__source": PVC,
        "spec__data__format": "IDX",
        "spec__data__idx": {"images": "a", "labels": "b"},
    },
    "IDX with a file of groups": {"spec__data": {"source": PVC, "format": "IDX", "idx": {"groups": "writers/a.gz"}}},
    "NPZ on a claim": {"spec__data__source": PVC, "spec__data__format": "NPZ", "spec__data__npz": {"file": "a.npz"}},
    "arrays that need a word": {
        "spec__data": {"source": PVC, "format": "NPZ", "npz": {"channels": "First", "divisor": 4095}, "labelGaps": "Close"}
    },
    "data and output at a store of one's own": {
        "spec__data": {"source": {**S3, **ACCESS}, "format": "IDX"},
        "spec__output": {
            "uri": "s3://models/a/b/",
            "endpoint": "http://10.96.0.7",
            "addressing": "VirtualHosted",
            "certificateAuthority": {"secretKeyRef": {"name": "ca", "key": "ca.crt"}},
        },
    },
    "data and output at a cloud": {
        "spec__data": {"source": {"uri": "gs://datasets"}, "format": "NPZ"},
        "spec__output": {"uri": "gs://models/digits", "secretName": "writer"},
    },
    "data at a web server": {
        "spec__data": {"source": {"uri": "https://data.example:8443/a%20b", **CA}, "format": "IDX"},
    },
    "images in folders, of one size": {
        "spec__data": {
            "source": PVC,
            "format": "ImageFolder",
            "imageFolder": {"folder": "train", "validationFolder": "val"},
            "image": {"height": 96, "width": 96},
        }
    },
    "TFRecord files with keys of their own": {
        "spec__data": {
            "source": PVC,
            "format": "TFRecord",
            "tfRecord": {
                "files": "shards/train-?????-of-*",
                "validationFiles": "shards/val-*",
                "inputKey": "image",
                "labelKey": "label",
                "firstLabel": 1,
                "groupKey": "image/patient",
            },
            "image": {"height": 28, "width": 28, "channels": 1},
        }
    },
    "a table with columns that are no features": {
        "spec__data": {
            "source": PVC,
            "format": "CSV",
            "csv": {"files": "train.csv", "labelColumn": "the species", "ignoredColumns": ["id", "a date"], "delimiter": "\t"},
        }
    },
    "a table without a header, with gaps and categories": {
        "spec__data": {
            "source": PVC,
            "format": "CSV",
            "csv": {
                "header": False,
                "labelColumn": "c14",
                "delimiter": "|",
                "missing": "Mean",
                "categoricalColumns": ["c1", "c3"],
            },
            "normalization": "None",
        }
    },
    "vectors that are standardised": {"spec__data": {"source": PVC, "format": "NPZ", "normalization": "Standardize"}},
    "fractions below one": {"spec__data__validationFraction": 0.5, "spec__data__testFraction": 0.4},
    "a CNN with all parameters": {
        "spec__model__builtin__type": "CNN",
        "spec__model__parameters": {
            "activation": "HardSwish",
            "dropout": 0.25,
            "filters": [8, 16],
            "hiddenUnits": [32],
            "kernelSize": 5,
        },
    },
    "an application with weights": {
        "spec__data__source": PVC,
        "spec__data__format": "IDX",
        "spec__model": {
            "application": {"name": "MobileNetV3Small", "weightsFile": "weights/v3.small_0.75.h5"},
            "parameters": {
                "alpha": 0.75,
                "dropout": 0.2,
                "inputSize": 512,
                "minimalistic": False,
                "normalizationMomentum": 0.99,
                "pooling": "Max",
            },
        },
    },
    "a function of the image": {"spec__model": {"entrypoint": {"function": "a_package.models:build"}}},
    "a function from a ConfigMap with parameters of its own": {
        "spec__model": {
            "entrypoint": {"function": "my_models:build", "configMapName": "my-models"},
            "parameters": {"dropout": 0.5, "depth": 3, "hidden": [64, 32], "name": "wide", "residual": True},
        },
    },
    "all augmentations": {
        "spec__augmentation": {
            "rotationDegrees": 180,
            "widthShift": 0.2,
            "heightShift": 0.2,
            "shearDegrees": 11,
            "zoom": 0.99,
            "crop": 0.1,
            "horizontalFlip": True,
            "fillMode": "Wrap",
        }
    },
    "SGD with momentum": {"spec__training__optimizer": {"name": "SGD", "momentum": 0.9, "learningRate": 0.01}},
    "warm-up shorter than the epochs": {"spec__training__schedule": {"warmupEpochs": 1}},
    "a rate that scales as the optimizer wants": {"spec__training__schedule": {"scaling": "Auto"}},
    "one process alone": {"spec__strategy__type": "Single"},
    "a cpu written as a number": {"spec__workers__resources__requests": {"cpu": 1, "memory": "1Gi"}},
    "a lost node that is replaced": {"spec__recovery": {"lostNode": "Replace", "hangTimeoutSeconds": 10}},
    "the longest name": {"metadata__name": "a" * 50},
}


def an_application(name: str = "MobileNetV2", **parameters: Any) -> dict[str, Any]:
    """A run of an application with these parameters."""
    return {"spec__model": {"application": {"name": name}, "parameters": parameters}}


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown field": ({"spec__trainingg": {}}, 'unknown field "spec.trainingg"'),
    "a wrong type": ({"spec__training__epochs": "many"}, "spec.training.epochs"),
    "no epoch": ({"spec__training__epochs": 0}, "spec.training.epochs"),
    "no data source": ({"spec__data__source": {}}, "data.source needs exactly one of"),
    "two data sources": ({"spec__data__source": {**PVC, "builtin": "MNIST10k"}}, "data.source needs exactly one of"),
    "no output": ({"spec__output": {}}, "output needs exactly one of persistentVolumeClaim and uri"),
    "two outputs": ({"spec__output": {**PVC, "uri": "s3://models"}}, "output needs exactly one of"),
    "a web server as output": (
        {"spec__output": {"uri": "https://host/models"}},
        "output.uri https://host/models must begin with s3:// or gs://",
    ),
    "data without encryption": (
        {"spec__data": {"source": {"uri": "http://host/path"}, "format": "IDX"}},
        "data.source.uri http://host/path must begin with s3:// or gs:// or https://",
    ),
    "a uri that climbs": ({"spec__output": {"uri": "s3://models/../other"}}, "spec.output.uri"),
    "a uri without a bucket": ({"spec__output": {"uri": "s3:///models"}}, "spec.output.uri"),
    "a uri with a password": (
        {"spec__data": {"source": {"uri": "https://me:secret@host/a"}, "format": "IDX"}},
        "spec.data.source.uri",
    ),
    "an endpoint with a path": ({"spec__output": {**S3, "endpoint": "https://host/path"}}, "spec.output.endpoint"),
    "an addressing that no server has": ({"spec__output": {**S3, "addressing": "Bucket"}}, "spec.output.addressing"),
    "addressing for Google's cloud": (
        {"spec__output": {"uri": "gs://models", "addressing": "Path"}},
        "output.addressing is only read with output.uri that begins with s3://",
    ),
    "addressing for a claim": (
        {"spec__output": {**PVC, "addressing": "Path"}},
        "output.addressing is only read with output.uri that begins with s3://",
    ),
    "a Secret for a claim": (
        {"spec__output": {**PVC, "secretName": "writer"}},
        "output.secretName, endpoint and certificateAuthority are only read with output.uri",
    ),
    "an endpoint for builtin data": (
        {"spec__data__source": {"builtin": "MNIST10k", "endpoint": "https://host"}},
        "are only read with data.source.uri",
    ),
    "a Secret for a web server": (
        {"spec__data": {"source": {"uri": "https://host/path", "secretName": "s"}, "format": "IDX"}},
        "data.source.secretName and endpoint are for s3:// and gs://, but data.source.uri is https://host/path",
    ),
    "a certificate for Google's cloud": (
        {"spec__output": {"uri": "gs://models", **CA}},
        "output.certificateAuthority is for s3:// and https://, but output.uri is gs://models",
    ),
    "a certificate from two places": (
        {
            "spec__output": {
                **S3,
                "certificateAuthority": {
                    "configMapKeyRef": {"name": "a", "key": "b"},
                    "secretKeyRef": {"name": "a", "key": "b"},
                },
            }
        },
        "certificateAuthority needs exactly one of",
    ),
    "a uri without a format": ({"spec__data__source": S3}, "data.format is needed"),
    "a claim without a format": ({"spec__data__source": PVC}, "data.format is needed"),
    "a format for builtin data": ({"spec__data__format": "IDX"}, "must be left out with data.source.builtin"),
    "idx with NPZ": (
        {"spec__data__source": PVC, "spec__data__format": "NPZ", "spec__data__idx": {}},
        "data.idx is only read with data.format IDX",
    ),
    "npz with IDX": (
        {"spec__data__source": PVC, "spec__data__format": "IDX", "spec__data__npz": {}},
        "data.npz is only read with data.format NPZ",
    ),
    "folders at a web server": (
        {"spec__data": {"source": {"uri": "https://data.example/pets"}, "format": "ImageFolder"}},
        "data.format ImageFolder needs a source that lists its files, but data.source.uri https://data.example/pets",
    ),
    "imageFolder with CSV": (
        {"spec__data": {"source": PVC, "format": "CSV", "imageFolder": {}}},
        "data.imageFolder is only read with data.format ImageFolder",
    ),
    "tfRecord for builtin data": (
        {"spec__data__tfRecord": {}},
        "data.tfRecord is only read with data.format TFRecord: set format to TFRecord or remove tfRecord",
    ),
    "csv with TFRecord": (
        {"spec__data": {"source": PVC, "format": "TFRecord", "csv": {}}},
        "data.csv is only read with data.format CSV",
    ),
    "gaps among folders": (
        {"spec__data": {"source": PVC, "format": "ImageFolder", "labelGaps": "Close"}},
        "data.labelGaps is only read with labels that may be integers",
    ),
    "gaps among the digits of the image": ({"spec__data__labelGaps": "Close"}, "data.labelGaps is only read with labels that"),
    "nothing to divide by": (
        {"spec__data": {"source": PVC, "format": "NPZ", "npz": {"divisor": 0.0}}},
        "spec.data.npz.divisor in body should be greater than 0",
    ),
    "a negative divisor": ({"spec__data": {"source": PVC, "format": "IDX", "idx": {"divisor": -255}}}, "divisor"),
    "channels in the middle": (
        {"spec__data": {"source": PVC, "format": "NPZ", "npz": {"channels": "Middle"}}},
        'supported values: "Last", "First"',
    ),
    "a size for vectors": (
        {"spec__data": {"source": PVC, "format": "CSV", "image": {"height": 8, "width": 8}}},
        "data.image is only read with data.format ImageFolder and TFRecord",
    ),
    "two channels": (
        {"spec__data": {"source": PVC, "format": "ImageFolder", "image": {"height": 8, "width": 8, "channels": 2}}},
        "spec.data.image.channels",
    ),
    "damaged records of numbers": (
        {"spec__data": {"source": PVC, "format": "CSV", "damaged": "Skip"}},
        "data.damaged Skip is about images, with data.format ImageFolder and TFRecord",
    ),
    "a bound for what is refused": (
        {"spec__data": {"source": PVC, "format": "ImageFolder", "maximumDamaged": 3}},
        "data.maximumDamaged is only read with data.damaged Skip",
    ),
    "no damaged image at most": (
        {"spec__data": {"source": PVC, "format": "ImageFolder", "damaged": "Skip", "maximumDamaged": 0}},
        "spec.data.maximumDamaged",
    ),
    "a hidden folder": (
        {"spec__data": {"source": PVC, "format": "ImageFolder", "imageFolder": {"folder": "a b/.trash"}}},
        "spec.data.imageFolder.folder",
    ),
    "a control character": (
        {"spec__data": {"source": PVC, "format": "CSV", "csv": {"files": "a\tb.csv"}}},
        "spec.data.csv.files",
    ),
    "a query": (
        {"spec__data": {"source": PVC, "format": "NPZ", "npz": {"file": "a.npz?download=1"}}},
        "spec.data.npz.file",
    ),
    "a path that climbs out of a folder": (
        {"spec__data": {"source": PVC, "format": "ImageFolder", "imageFolder": {"folder": "a/../../b"}}},
        "spec.data.imageFolder.folder",
    ),
    "a pattern that climbs": (
        {"spec__data": {"source": PVC, "format": "CSV", "csv": {"files": "../*.csv"}}},
        "spec.data.csv.files",
    ),
    "a pattern in a folder": (
        {"spec__data": {"source": PVC, "format": "CSV", "csv": {"files": "*/a.csv"}}},
        "spec.data.csv.files",
    ),
    "an unknown delimiter": (
        {"spec__data": {"source": PVC, "format": "CSV", "csv": {"delimiter": " "}}},
        "spec.data.csv.delimiter",
    ),
    "a category column twice": (
        {"spec__data": {"source": PVC, "format": "CSV", "csv": {"categoricalColumns": ["a", "a"]}}},
        "Duplicate value",
    ),
    "gaps that are zero": (
        {"spec__data": {"source": PVC, "format": "CSV", "csv": {"missing": "Zero"}}},
        "spec.data.csv.missing",
    ),
    "images that are standardised": (
        {"spec__data": {"source": PVC, "format": "ImageFolder", "normalization": "Standardize"}},
        "data.normalization Standardize is for vectors of features, not for images",
    ),
    "digits that are standardised": (
        {"spec__data__normalization": "Standardize"},
        "data.normalization Standardize is for vectors of features, not for images",
    ),
    "a column that is ignored twice": (
        {"spec__data": {"source": PVC, "format": "CSV", "csv": {"ignoredColumns": ["id", "id"]}}},
        "Duplicate value",
    ),
    "no validation data": (
        {"spec__data__validationFraction": 0},
        "spec.data.validationFraction in body should be greater than 0",
    ),
    "fractions that leave nothing": (
        {"spec__data__validationFraction": 0.6, "spec__data__testFraction": 0.4},
        "data.validationFraction 0.6 and data.testFraction 0.4 leave no training data",
    ),
    "a path that climbs": (
        {"spec__output__persistentVolumeClaim__path": "../secret"},
        "spec.output.persistentVolumeClaim.path",
    ),
    "an unknown parameter": (
        {"spec__model__parameters": {"inputSize": 96}},
        "model.parameters.inputSize is for applications: remove it",
    ),
    "filters for an MLP": (
        {"spec__model__parameters": {"filters": [8]}},
        "model.parameters.filters is for model.builtin.type CNN: remove it or change the type",
    ),
    "an unknown activation": (
        {"spec__model__parameters": {"activation": "Tanh"}},
        "model.parameters.activation must be ReLU, ReLU6, HardSwish or GELU",
    ),
    "a dropout of one": (
        {"spec__model__parameters": {"dropout": 1}},
        "model.parameters.dropout must be from 0 to below 1, for example 0.2",
    ),
    "units that are no numbers": (
        {"spec__model__parameters": {"hiddenUnits": "many"}},
        "spec.model.parameters.hiddenUnits in body must be of type array",
    ),
    "an even kernel": (
        {"spec__model__builtin__type": "CNN", "spec__model__parameters": {"kernelSize": 4}},
        "model.parameters.kernelSize must be an odd number from 1 to 11",
    ),
    "no model": ({"spec__model": {}}, "model needs exactly one of builtin, application and entrypoint"),
    "two models": (
        {"spec__model__application": {"name": "MobileNetV2"}},
        "model needs exactly one of builtin, application and entrypoint",
    ),
    "an application that is not small": ({"spec__model": {"application": {"name": "VGG19"}}}, "spec.model.application.name"),
    "weights of another format": (
        {"spec__model": {"application": {"name": "MobileNetV2", "weightsFile": "w.keras"}}},
        "spec.model.application.weightsFile",
    ),
    "weights beside data in the image": (
        {"spec__model": {"application": {"name": "MobileNetV2", "weightsFile": "w.h5"}}},
        "model.application.weightsFile is read from the data source, but data.source.builtin holds no weights",
    ),
    "a parameter of no application": (
        an_application(hiddenUnits=[8]),
        "model.parameters.hiddenUnits is for built-in networks: remove it",
    ),
    "alpha of a network without": (an_application("DenseNet121", alpha=1), "model.parameters.alpha is for the MobileNets"),
    "an alpha of zero": (an_application(alpha=0.05), "model.parameters.alpha must be from 0.1 to below 3"),
    "minimalistic elsewhere": (an_application(minimalistic=True), "model.parameters.minimalistic is for MobileNetV3"),
    "minimalistic and neither": (
        an_application("MobileNetV3Large", minimalistic="yes"),
        "spec.model.parameters.minimalistic in body must be of type boolean",
    ),
    "a small input": (an_application(inputSize=31), "model.parameters.inputSize must be from 32 to 512"),
    "a large input": (an_application(inputSize=513), "model.parameters.inputSize must be from 32 to 512"),
    "a momentum of one": (
        an_application(normalizationMomentum=1),
        "model.parameters.normalizationMomentum must be from 0 to below 1",
    ),
    "an unknown pooling": (an_application(pooling="Min"), "model.parameters.pooling must be Average or Max"),
    "a dropout of one in an application": (an_application(dropout=1), "model.parameters.dropout must be from 0 to below 1"),
    "a function without a module": (
        {"spec__model": {"entrypoint": {"function": "build"}}},
        "spec.model.entrypoint.function",
    ),
    "a package in a ConfigMap": (
        {"spec__model": {"entrypoint": {"function": "a.b:build", "configMapName": "m"}}},
        "model.entrypoint.function a.b:build names a module of a package, but a ConfigMap holds files",
    ),
    "too much rotation": (
        {"spec__augmentation": {"rotationDegrees": 181}},
        "spec.augmentation.rotationDegrees in body should be less than or equal to 180",
    ),
    "too much shear": (
        {"spec__augmentation": {"shearDegrees": 90}},
        "spec.augmentation.shearDegrees in body should be less than 90",
    ),
    "a shift by the whole image": (
        {"spec__augmentation": {"widthShift": 1}},
        "spec.augmentation.widthShift in body should be less than 1",
    ),
    "a height shift by the whole image": (
        {"spec__augmentation": {"heightShift": 1.0}},
        "spec.augmentation.heightShift in body should be less than 1",
    ),
    "a zoom to nothing": ({"spec__augmentation": {"zoom": 1}}, "spec.augmentation.zoom in body should be less than 1"),
    "a crop of everything": ({"spec__augmentation": {"crop": 1}}, "spec.augmentation.crop in body should be less than 1"),
    "an unknown fill mode": ({"spec__augmentation": {"fillMode": "Mirror"}}, "spec.augmentation.fillMode"),
    "a learning rate of zero": (
        {"spec__training__optimizer": {"learningRate": 0}},
        "spec.training.optimizer.learningRate in body should be greater than 0",
    ),
    "momentum of one": (
        {"spec__training__optimizer": {"name": "SGD", "momentum": 1}},
        "spec.training.optimizer.momentum in body should be less than 1",
    ),
    "momentum for Adam": ({"spec__training__optimizer": {"momentum": 0.9}}, "only read with training.optimizer.name SGD"),
    "warm-up as long as the training": (
        {"spec__training__schedule": {"warmupEpochs": 2}},
        "training.schedule.warmupEpochs 2 must be smaller than training.epochs 2",
    ),
    "one process with two workers": (
        {"spec__strategy__type": "Single", "spec__workers__replicas": 2},
        "strategy.type Single trains in one process, but workers.replicas is 2",
    ),
    "a transport that is not there": ({"spec__strategy__transport": "RDMA"}, "spec.strategy.transport"),
    "a name that is too long": ({"metadata__name": "a" * 51}, "metadata.name"),
    "a name that begins with a digit": ({"metadata__name": "1st"}, "metadata.name"),
    "an amount that is none": (
        {"spec__workers__resources__limits": {"memory": "lots"}},
        "spec.workers.resources.limits.memory",
    ),
    "a rerun that is too long": ({"spec__rerun": "x" * 64}, "spec.rerun"),
    "a negative time to live": ({"spec__childrenTTLSecondsAfterFinished": -1}, "spec.childrenTTLSecondsAfterFinished"),
    "a hang time-out of a moment": ({"spec__recovery": {"hangTimeoutSeconds": 9}}, "spec.recovery.hangTimeoutSeconds"),
    "an unknown answer to a lost node": ({"spec__recovery": {"lostNode": "Panic"}}, 'supported values: "Wait", "Replace"'),
    "a block of a later release": ({"spec__distillation": {"epochs": 3}}, 'unknown field "spec.distillation"'),
}


@pytest.mark.parametrize("changes", ACCEPTED.values(), ids=ACCEPTED)
def test_it_accepts(kubectl: Kubectl, changes: dict[str, Any]) -> None:
    dry_run(kubectl, a_manifest(**changes))


@pytest.mark.parametrize(("changes", "words"), REFUSED.values(), ids=REFUSED)
def test_it_refuses_and_says_why(kubectl: Kubectl, changes: dict[str, Any], words: str) -> None:
    assert words in refusal(kubectl, a_manifest(**changes))


def test_every_field_can_be_explained(kubectl: Kubectl) -> None:
    explained = kubectl.run("explain", "trainingruns.spec.training.schedule")
    assert "warmupEpochs" in explained
    assert "Epochs in which the learning rate rises" in explained
