"""The TrainingRun object itself."""

from typing import Annotated, Any, Literal

from pydantic import Field

from trainingrun.api.base import Tolerant
from trainingrun.api.metadata import ObjectMeta
from trainingrun.api.spec import TrainingRunSpec
from trainingrun.api.status import TrainingRunStatus

GROUP = "trainingrun.dev"
VERSION = "v1alpha1"
KIND = "TrainingRun"
PLURAL = "trainingruns"


class TrainingRun(Tolerant):
    """One object from data to a trained model."""

    api_version: Literal["trainingrun.dev/v1alpha1"] = "trainingrun.dev/v1alpha1"
    kind: Literal["TrainingRun"] = "TrainingRun"
    metadata: ObjectMeta
    spec: Annotated[TrainingRunSpec, Field(description="What the user asks for.")]
    status: Annotated[TrainingRunStatus, Field(description="What the operator says.")] = TrainingRunStatus()

    @classmethod
    def parse(cls, manifest: dict[str, Any]) -> "TrainingRun":
        """Read an object as the API server returns it.

        Raises pydantic's ValidationError, whose text names the field, when the object does not follow the schema.
        """
        return cls.model_validate(manifest)
