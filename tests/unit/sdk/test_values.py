"""Numbers and values of any kind: how a manifest, a model and the contract have them, and that nothing is lost between them."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from trainingrun.api import EnvironmentVariable, Model, SearchParameter, Training, Workers
from trainingrun.api.base import DECIMAL_PATTERN, Number, number, to_manifest, to_wire
from trainingrun.api.values import own_text_of, value_of

OWN = {"function": "my_models:build"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.001, "0.001"),
        (1e-5, "0.00001"),
        (1e-9, "1e-9"),
        (20.0, "20"),
        (0.0, "0"),
        (1e30, "1e30"),
        (123456.5, "123456.5"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1e-300, "1e-99"),
    ],
)
def test_a_number_prints_as_people_write_it(value: float, text: str) -> None:
    assert f"{Number(value)}" == text


@given(st.floats(min_value=1e-99, max_value=1e99) | st.just(0.0))
def test_every_image_reads_the_same_number(value: float) -> None:
    assert re.search(DECIMAL_PATTERN, str(Number(value)))
    assert len(str(Number(value))) <= 24
    assert number(str(Number(value))) == value


def test_a_number_is_one_in_a_manifest_and_text_in_the_contract() -> None:
    training = Training.model_validate({"optimizer": {"learningRate": 0.00001}, "regularization": {"l2": "1e-4"}})
    assert to_manifest(training)["optimizer"] == {"name": "Adam", "learningRate": 0.00001, "momentum": 0}
    assert to_wire(training)["optimizer"] == {"name": "Adam", "learningRate": "0.00001", "momentum": "0"}
    assert to_wire(training)["regularization"] == {"l2": "0.0001"}
    assert Training.model_validate(to_wire(training)) == Training.model_validate(to_manifest(training)) == training


@pytest.mark.parametrize("rate", ["nan", "inf", "0", 0, -1, "fast", "auto"])
def test_no_other_learning_rate_is_read(rate: Any) -> None:
    with pytest.raises(ValidationError):
        Training.model_validate({"optimizer": {"learningRate": rate}})


PARAMETERS = {"units": 64, "dropout": 0.3, "hidden": [64, 32], "hiddenUnits": [8], "residual": True, "name": "wide"}


def test_parameters_are_a_map_in_a_manifest_and_texts_in_the_contract() -> None:
    model = Model.model_validate({"entrypoint": OWN, "parameters": PARAMETERS})
    assert to_manifest(model)["parameters"] == PARAMETERS
    texts = {each["name"]: each["value"] for each in to_wire(model)["parameters"]}
    assert texts == {
        "units": "64",
        "dropout": "0.3",
        "hidden": "[64, 32]",
        "hiddenUnits": "[8]",
        "residual": "true",
        "name": "wide",
    }
    assert Model.model_validate(to_wire(model)) == model


@pytest.mark.parametrize(("value", "text"), [([128], "128"), ([256, 128], "256,128"), ("256,128", "256,128")])
def test_sizes_of_a_built_in_network_are_what_every_image_reads(value: Any, text: str) -> None:
    model = Model.model_validate({"builtin": {"type": "MLP"}, "parameters": {"hiddenUnits": value}})
    assert to_wire(model)["parameters"] == [{"name": "hiddenUnits", "value": text}]


LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()


@given(
    st.recursive(
        LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=5
    )
)
def test_a_users_function_gets_what_the_manifest_says(value: Any) -> None:
    assert value_of(own_text_of(value)) == json.loads(json.dumps(value))


def test_listed_values_are_texts_in_the_contract() -> None:
    said: dict[str, Any] = {"name": "model.parameters.hiddenUnits", "categorical": [[64], [128, 64]]}
    assert SearchParameter.model_validate(said).categorical == ("64", "128,64")
    said = {"name": "model.parameters.any", "categorical": [64, 0.001, True, "wide", [8]]}
    parameter = SearchParameter.model_validate(said)
    assert parameter.categorical == ("64", "0.001", "true", "wide", "[8]")
    assert to_manifest(parameter) == said


def test_what_earlier_releases_stored_is_read() -> None:
    labels = [{"name": "zone", "value": "a"}, {"name": "gpu", "value": ""}]
    assert Workers.model_validate({"nodeSelector": labels}).node_selector == {"zone": "a", "gpu": ""}
    variable = EnvironmentVariable.model_validate({"name": "TOKEN", "secretKeyRef": {"name": "s", "key": "k"}})
    assert to_wire(variable) == {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}
    parameters = [{"name": "filters", "value": "16,32"}]
    model = Model.model_validate({"builtin": {"type": "CNN"}, "parameters": parameters})
    assert to_manifest(model)["parameters"] == {"filters": [16, 32]}
