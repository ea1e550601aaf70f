import tempfile
import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.unit.trainer.forking import ForkServer, a_server
from tests.unit.trainer.starting import Start, Starter, starting
from tools.suite.accounts import Account, waiting

DIGITS = Path(__file__).parent.parent.parent.parent / "examples" / "data"


def pytest_configure() -> None:
    """TensorFlow and what it imports warn about themselves; our own warnings stay errors."""
    warnings.filterwarnings("ignore", module=r"(tensorflow|tf_keras|keras|google|horovod|flatbuffers|h5py).*")


@pytest.fixture(scope="session", autouse=True)
def temporary_files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What TensorFlow writes for each function that it rewrites goes where pytest tidies up.

    It removes such files when its process exits, and most ranks here are killed or leave without.
    """
    folder = tmp_path_factory.mktemp("t", numbered=False)  # short, as sockets of MPI need
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(folder))
        patch.setattr(tempfile, "tempdir", None)
        yield


@pytest.fixture(scope="session")
def builtin_data() -> Path:
    """Where the repository keeps the digits that the image holds."""
    return DIGITS


@pytest.fixture(scope="session")
def fork_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkServer]:
    """One that has imported what agents, studies and ranks import, for all tests of this process."""
    modules = (
        "trainingrun_trainer.forkserver.preloaded",
        "trainingrun_trainer.agent.worker",
        "trainingrun_trainer.tuning.clerk",
    )
    with ExitStack() as stack:
        with waiting(Account.IMPORT):
            running = stack.enter_context(a_server(tmp_path_factory.mktemp("fork"), *modules))
        yield running


@pytest.fixture
def start(tmp_path: Path, builtin_data: Path, fork_server: ForkServer) -> Iterator[Start]:
    """Starts gangs that share one output; ends what is left of them."""
    with starting(tmp_path, builtin=builtin_data, server=fork_server) as starter:
        yield starter


@pytest.fixture(scope="module")
def start_once(tmp_path_factory: pytest.TempPathFactory, builtin_data: Path, fork_server: ForkServer) -> Iterator[Starter]:
    """Starts gangs that answer the questions of several tests; their output is below its folder."""
    with starting(tmp_path_factory.mktemp("once"), builtin=builtin_data, server=fork_server) as starter:
        yield starter
