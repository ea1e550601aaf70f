from pathlib import Path

import pytest

from tests.watching import promtool


@pytest.fixture(scope="session")
def program(request: pytest.FixtureRequest) -> Path:
    """promtool; what is printed while it is built is shown."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    assert capture is not None
    with capture.global_and_fixture_disabled():
        return promtool.build()
