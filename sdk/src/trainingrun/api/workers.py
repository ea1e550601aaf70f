"""`spec.workers`: how many pods, how many processes in each, and what each pod requests."""

from typing import Annotated

from pydantic import Field

from trainingrun.api.base import Frozen, Quantity


class ResourceList(Frozen):
    """Amounts of compute resources of one worker pod."""

    cpu: Annotated[Quantity | None, Field(description="CPU cores, for example 500m or 2.")] = None
    memory: Annotated[Quantity | None, Field(description="Memory, for example 2Gi.")] = None


class Resources(Frozen):
    """Requests and limits of one worker pod, as in a container's resources."""

    requests: Annotated[ResourceList, Field(description="What the scheduler reserves.")] = ResourceList()
    limits: Annotated[
        ResourceList,
        Field(description="What a worker may use at most. Beyond the memory limit it is killed (OOMKilled)."),
    ] = ResourceList()


class Workers(Frozen):
    """The gang: `replicas` pods with `processesPerWorker` training processes (ranks) each."""

    replicas: Annotated[int, Field(ge=1, le=256, description="Number of worker pods.")] = 1
    processes_per_worker: Annotated[int, Field(ge=1, le=16, description="Training processes (ranks) in each worker pod.")] = 1
    resources: Annotated[Resources, Field(description="Resources of each worker pod.")] = Resources()

    @property
    def world_size(self) -> int:
        """Number of ranks of the whole gang."""
        return self.replicas * self.processes_per_worker
