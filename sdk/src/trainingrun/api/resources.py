"""`spec.workers.resources`: compute resources of each worker pod."""

from typing import Annotated

from pydantic import Field

from trainingrun.api.base import Frozen, Quantity, Rule, rule, rules
from trainingrun.api.quantities import compared


class ResourceList(Frozen):
    """Amounts of compute resources of one worker pod."""

    cpu: Annotated[Quantity | None, Field(description="CPU cores of a worker, for example 500m or 2.")] = None
    memory: Annotated[Quantity | None, Field(description="Memory of a worker, for example 2Gi.")] = None
    ephemeral_storage: Annotated[
        Quantity | None,
        Field(
            alias="ephemeral-storage",
            description="Disk of the node: /tmp and the log, for example 20Gi. Of pods on a node whose disk is full those that "
            "use more than they have requested are evicted first.",
        ),
    ] = None


def _in_cel(resource: str) -> str:
    """The name of a field in CEL, which has no dashes."""
    return resource.replace("-", "__dash__")


def _field_path(group: str, resource: str) -> str:
    return f".{group}['{resource}']" if "-" in resource else f".{group}.{resource}"


def _within_limit(resource: str) -> Rule:
    request, limit = f"requests.{_in_cel(resource)}", f"limits.{_in_cel(resource)}"
    return rule(
        compared(request, "<=", limit),
        f"'workers.resources.requests.{resource} %s is more than workers.resources.limits.{resource} %s: lower the request or "
        f"raise the limit.'.format([self.{request}, self.{limit}])",
        field_path=_field_path("requests", resource),
        computed=True,
    )


def _whole_bytes(group: str, resource: str) -> Rule:
    amount = f"self.{group}.{_in_cel(resource)}"
    return rule(
        f"!has({amount}) || !string({amount}).endsWith('m')",
        f"'workers.resources.{group}.{resource} %s has the unit m, a thousandth of a byte: use Mi or M.'.format([{amount}])",
        field_path=_field_path(group, resource),
        computed=True,
    )


class Resources(Frozen):
    """Requests and limits of one worker pod, as in a container's resources; GPUs are asked for with workers.accelerator."""

    requests: Annotated[ResourceList, Field(description="What the scheduler reserves.")] = ResourceList()
    limits: Annotated[
        ResourceList,
        Field(description="What a worker may use at most. Beyond the memory limit it is killed (OOMKilled)."),
    ] = ResourceList()

    model_config = rules(
        *map(_within_limit, ("cpu", "memory", "ephemeral-storage")),
        *(_whole_bytes(group, resource) for group in ("requests", "limits") for resource in ("memory", "ephemeral-storage")),
    )
