"""IDX files of every type of number that the format has."""

import numpy as np
import pytest

from trainingrun_trainer.data.idx import read
from trainingrun_trainer.errors import TrainerError

KINDS = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
VALUES = np.array([[1, 2, 3], [4, 5, 100]])


def a_file(code: int) -> bytes:
    header = bytes([0, 0, code, VALUES.ndim]) + np.array(VALUES.shape, ">u4").tobytes()
    return header + VALUES.astype(KINDS[code]).tobytes()


@pytest.mark.parametrize("code", KINDS)
def test_numbers_are_those_that_were_written(code: int) -> None:
    found = read(a_file(code), name="digits")
    assert found.dtype.isnative
    np.testing.assert_array_equal(found, VALUES)


@pytest.mark.parametrize("code", KINDS)
def test_a_file_that_holds_more_than_it_says_is_named(code: int) -> None:
    with pytest.raises(TrainerError, match="digits is damaged: its header promises 2 dimensions"):
        read(a_file(code) + bytes(np.dtype(KINDS[code]).itemsize), name="digits")
