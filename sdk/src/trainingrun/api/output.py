"""`spec.output`: where checkpoints, the model and its report go."""

from typing import Annotated

from pydantic import Field

from trainingrun.api.base import rules
from trainingrun.api.data import VolumePath
from trainingrun.api.storage import Location, location_rules


class Output(Location):
    """Exactly one place that all workers can write: a folder of a claim, or of an object store."""

    persistent_volume_claim: Annotated[VolumePath | None, Field(description="A folder in a PersistentVolumeClaim.")] = None

    model_config = rules(*location_rules("output", schemes=("s3", "gs"), places=("persistentVolumeClaim", "uri")))
