import pytest

from tests.gitops.judges import Judged, Judges, build
from tests.gitops.lives import recordings


@pytest.fixture(scope="session")
def judges(request: pytest.FixtureRequest) -> Judges:
    """The tools; what is printed while they are built is shown."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    assert capture is not None
    with capture.global_and_fixture_disabled():
        return Judges(build())


@pytest.fixture(scope="session")
def judged(judges: Judges) -> dict[str, Judged]:
    """What the tools make of every recording."""
    return judges.judge(recordings())
