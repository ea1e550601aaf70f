"""What a network would misunderstand in an array is converted in plain sight, or refused with the way out."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from trainingrun.api import ChannelOrder
from trainingrun_trainer.data.arrays import ArrayRules
from trainingrun_trainer.data.dataset import dataset
from trainingrun_trainer.errors import TrainerError

LABELS = np.arange(4) % 2
AnyArray = NDArray[Any]


def images(low: float, high: float, kind: str = "f8", shape: tuple[int, ...] = (4, 6, 5, 3)) -> AnyArray:
    """Images whose values reach from `low` to `high`."""
    values = np.linspace(low, high, int(np.prod(shape))).reshape(shape)
    return (np.rint(values) if np.dtype(kind).kind in "iu" else values).astype(kind)


def taken(inputs: AnyArray, **rules: Any) -> Any:
    return dataset(inputs, LABELS, where="here", rules=ArrayRules("npz", **rules))


@pytest.mark.parametrize("kind", ["f2", "f4", ">f8", "i2", "u2", ">u4", "i8"])
def test_bytes_of_another_type_are_bytes_and_that_is_told(kind: str) -> None:
    written = np.rint(images(0, 255)).astype(kind)
    data = taken(written)
    assert (data.inputs.dtype, data.scale) == (np.uint8, 1 / 255)
    assert (data.inputs == written).all()
    assert [(each.name, each.value) for each in data.found] == [("data.npz.divisor", "255")]
    assert "The images have values from 0 to 255, as " in data.found[0].reason


@pytest.mark.parametrize(("low", "high"), [(0.0, 254.6), (0.25, 255.0), (3.5, 128.0)])
def test_values_between_those_of_bytes_are_divided_by_255_and_that_is_told(low: float, high: float) -> None:
    data = taken(images(low, high, "f4"))
    assert (data.inputs.dtype, data.scale, len(data.found)) == (np.float32, 1 / 255, 1)
    assert data.take(np.arange(2)).scale == 1 / 255


AS_THEY_ARE = {
    "fractions": images(0, 1),
    "fractions with a little more": images(0, 1.5, "f2"),
    "from -1 to 1": images(-1, 1, "f4"),
    "standardised": images(-2.2, 2.7),
    "standardised, with a far value": np.concatenate([images(-1, 1), np.full((4, 1, 5, 3), 20.0)], axis=1),
    "black and white": images(0, 1) > 0.5,
    "black and white as integers": images(0, 1, "i8"),
    "vectors of any size": images(0, 50_000, shape=(4, 9)),
    "vectors of integers": images(0, 255, "i8", shape=(4, 9)),
}


@pytest.mark.parametrize("inputs", AS_THEY_ARE.values(), ids=AS_THEY_ARE)
def test_values_that_are_about_0_to_1_stay_as_they_are(inputs: AnyArray) -> None:
    data = taken(inputs)
    assert (data.inputs.dtype, data.scale, data.found) == (np.float32, 1.0, ())
    np.testing.assert_allclose(data.inputs, inputs.astype(np.float32))


FAR = {
    "digits up to 16": (images(0, 16), "values from 0 to 16, as float64", "16"),
    "twelve bits": (images(0, 4095, "u2"), "values from 0 to 4095, as uint16", "4095"),
    "sixteen bits": (images(0, 65535, "u2"), "values from 0 to 65535, as uint16", "65535"),
    "densities": (images(-1024, 3071, "i2"), "values from -1024 to 3071, as int16", "3071"),
    "decibels": (images(-80, 0, "f4"), "values from -80 to 0, as float32", "80"),
    "means subtracted": (images(-123.7, 151.1), "values from -123.7 to 151.1, as float64", "152"),
    "signed bytes": (images(-128, 127, "i1"), "values from -128 to 127, as int8", "128"),
    "a time series": (images(0, 9, "f4", shape=(4, 128, 9)), "values from 0 to 9, as float32", "9"),
    "bits as bytes": (images(0, 1, "u1"), "values up to 1, as bytes", "1"),
    "classes as bytes": (images(0, 12, "u1"), "values up to 12, as bytes", "12"),
}


@pytest.mark.parametrize(("inputs", "words", "divisor"), FAR.values(), ids=FAR)
def test_values_that_nobody_can_guess_need_a_word(inputs: AnyArray, words: str, divisor: str) -> None:
    with pytest.raises(TrainerError) as problem:
        taken(inputs)
    assert f"here: images have {words}" in str(problem.value)
    assert f"for example {divisor}" in str(problem.value)
    data = taken(inputs, divisor=float(divisor))
    assert (data.scale, data.found) == (1 / float(divisor), ())


@pytest.mark.parametrize(("inputs", "scale"), [(images(0, 255, "u1"), 1.0), (images(0, 50), 1.0), (images(0, 255), 0.5)])
def test_what_the_user_says_goes(inputs: AnyArray, scale: float) -> None:
    data = taken(inputs, divisor=1 / scale)
    assert (data.scale, data.found) == (scale, ())
    assert (data.inputs == inputs.astype(np.float32)).all()


FIRST = {
    "colours": (3, 32, 32),
    "grey": (1, 28, 28),
    "colours of a wide image": (3, 20, 64),
    "thirteen bands": (13, 64, 64),
    "with transparency": (4, 9, 9),
}


@pytest.mark.parametrize("shape", FIRST.values(), ids=FIRST)
def test_channels_that_come_first_are_refused_or_put_last(shape: tuple[int, ...]) -> None:
    inputs = images(0, 1, shape=(4, *shape))
    with pytest.raises(TrainerError, match=rf"samples have the shape \({shape[0]}, .*spec\.data\.npz\.channels to First"):
        taken(inputs)
    turned = taken(inputs, channels=ChannelOrder.FIRST)
    assert turned.shape == (*shape[1:], shape[0])
    assert turned.inputs[2, 3, 4, 0] == inputs[2, 0, 3, 4].astype(np.float32)
    assert taken(inputs, channels=ChannelOrder.LAST).shape == shape


@pytest.mark.parametrize("shape", [(32, 32, 3), (28, 28, 1), (3, 9, 1), (3, 3, 4), (7, 7, 512), (64, 64, 13), (1, 4, 4)])
def test_channels_that_come_last_are_no_reason_to_ask(shape: tuple[int, ...]) -> None:
    assert taken(images(0, 1, shape=(4, *shape))).shape == shape


def with_value(inputs: AnyArray, value: float) -> AnyArray:
    inputs = inputs.copy()
    inputs[2].flat[7] = value
    return inputs


NO_SAMPLES: dict[str, tuple[AnyArray, str]] = {
    "complex": (np.ones((4, 3), "c8"), "samples are of type complex64; expected numbers. A part of them would be lost"),
    "objects": (np.full((4, 3), None), "samples are of type object; expected numbers. Store one array of numbers"),
    "a structure": (np.zeros(4, [("a", "f4")]), "samples are of type [('a', '<f4')]; expected numbers. Store the fields"),
    "moments": (np.zeros((4, 3), "M8[s]"), "samples are of type datetime64[s]; expected numbers. Store numbers, for example"),
    "durations": (np.zeros((4, 3), "m8[s]"), "samples are of type timedelta64[s]; expected numbers. Store numbers, for"),
    "texts": (np.full((4, 3), "a"), "samples are of type <U1; expected numbers. Store numbers."),
    "one number each": (np.ones(4), "samples have the shape (); expected [features]"),
    "films": (np.ones((4, 2, 5, 5, 3)), "samples have the shape (2, 5, 5, 3); expected [features]"),
    "nothing in a sample": (np.ones((4, 0)), "samples have the shape (0,); expected [features]"),
    "a single value": (np.array(3.0), "the samples are a single value"),
    "NaN in an image": (with_value(images(0, 1), np.nan), "sample 2 has the value nan at place 7"),
    "infinity in an image": (with_value(images(0, 1, "f2"), -np.inf), "sample 2 has the value -inf at place 7"),
    "NaN in a vector": (with_value(images(0, 1, shape=(4, 9)), np.nan), "sample 2 has the value nan at place 7"),
    "too large for 32 bits": (with_value(images(0, 1), 1e300), "sample 2 has the value 1e+300 at place 7"),
    "an identifier": (
        np.arange(4 * 3).reshape(4, 3) + 1_700_000_001,
        "sample 0 has the value 1700000001, which a network would see as 1700000000",
    ),
}


@pytest.mark.parametrize(("inputs", "words"), NO_SAMPLES.values(), ids=NO_SAMPLES)
def test_what_is_no_sample_is_said(inputs: AnyArray, words: str) -> None:
    with pytest.raises(TrainerError) as problem:
        taken(inputs)
    assert f"here: {words}" in str(problem.value)
    assert problem.value.exit_code == 65


@pytest.mark.parametrize("labels", [np.arange(3), np.eye(4)[[0, 1]], np.array([["a"]])])
def test_other_numbers_of_labels_than_samples_are_said_with_the_shapes(labels: AnyArray) -> None:
    with pytest.raises(
        TrainerError, match=rf"there are 4 samples but {len(labels)} labels.*shapes \(4, 2\) and \({len(labels)},"
    ):
        dataset(np.ones((4, 2)), labels, where="here")
