from tests.unit.client.conftest import server, store

__all__ = ["server", "store"]
