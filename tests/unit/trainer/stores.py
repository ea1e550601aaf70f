"""Object stores for tests of the trainer: locations on them, and places to write."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.object_store.server import ObjectStore, build, object_store
from tests.unit.trainer.starting import free_ports
from trainingrun.api import Location
from trainingrun.contract import Cause
from trainingrun_trainer.output.objects import ObjectPlace, Store
from trainingrun_trainer.patience import Patience
from trainingrun_trainer.remote.access import Access


@contextmanager
def a_store(folder: Path, *, certificate: Path | None = None) -> Iterator[ObjectStore]:
    """A server with the buckets `datasets` and `models`."""
    folder.mkdir()
    (port,) = free_ports(1)
    with object_store(build(), folder=folder, address=f"127.0.0.1:{port}", certificate=certificate) as store:
        store.bucket("datasets")
        store.bucket("models")
        yield store


def a_location(store: ObjectStore, uri: str, **fields: Any) -> dict[str, Any]:
    """The fields of the specification that lead there."""
    return {"uri": uri, "endpoint": store.endpoint, "secretName": "keys", **fields}


def an_access(location: dict[str, Any], *, mount: Path, cause: Cause = Cause.OUTPUT_FAILED) -> Access:
    """A location with what is mounted for it."""
    return Access(location=Location.model_validate(location), field="spec.output", mount=mount, unavailable=cause)


def a_place(store: ObjectStore, *, mount: Path, uri: str = "s3://models/team", patience: Patience | None = None) -> ObjectPlace:
    """The folder of an output."""
    return ObjectPlace(Store(an_access(a_location(store, uri), mount=mount), patience or Patience()))
