import pytest

from tests.simulation.world import World


@pytest.fixture
def world() -> World:
    """An empty in-memory cluster at noon."""
    return World()
