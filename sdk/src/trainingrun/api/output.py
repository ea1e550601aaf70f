"""`spec.output`: where checkpoints, the model and its report go."""

from typing import Annotated

from pydantic import Field

from trainingrun.api.base import Frozen
from trainingrun.api.data import VolumePath


class Output(Frozen):
    """A folder that all workers can write."""

    persistent_volume_claim: Annotated[VolumePath, Field(description="A folder in a PersistentVolumeClaim.")]
