import warnings
from pathlib import Path

import pytest

DIGITS = Path(__file__).parent.parent.parent.parent / "examples" / "data"


def pytest_configure() -> None:
    """TensorFlow and what it imports warn about themselves; our own warnings stay errors."""
    warnings.filterwarnings("ignore", module=r"(tensorflow|tf_keras|keras|google|horovod|flatbuffers|h5py).*")


@pytest.fixture(scope="session")
def builtin_data() -> Path:
    """Where the repository keeps the digits that the image holds."""
    return DIGITS
