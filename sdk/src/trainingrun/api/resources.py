"""`spec.workers.resources`: compute resources of each worker pod."""

from typing import Annotated

from pydantic import Field

from trainingrun.api.base import Frozen, Quantity, Rule, rule, rules
from trainingrun.api.quantities import compared


class ResourceList(Frozen):
    """Amounts of compute resources of one worker pod."""

    cpu: Annotated[Quantity | None, Field(description="CPU cores, for example 500m or 2.")] = None
    memory: Annotated[Quantity | None, Field(description="Memory, for example 2Gi.")] = None


def _within_limit(resource: str) -> Rule:
    request, limit = f"requests.{resource}", f"limits.{resource}"
    return rule(
        compared(request, "<=", limit),
        f"'workers.resources.{request} %s is more than workers.resources.{limit} %s: lower the request or raise the limit.'"
        f".format([self.{request}, self.{limit}])",
        field_path=f".{request}",
        computed=True,
    )


def _whole_bytes(group: str) -> Rule:
    memory = f"self.{group}.memory"
    return rule(
        f"!has({memory}) || !string({memory}).endsWith('m')",
        f"'workers.resources.{group}.memory %s has the unit m, a thousandth of a byte: use Mi or M.'.format([{memory}])",
        field_path=f".{group}.memory",
        computed=True,
    )


class Resources(Frozen):
    """Requests and limits of one worker pod, as in a container's resources."""

    requests: Annotated[ResourceList, Field(description="What the scheduler reserves.")] = ResourceList()
    limits: Annotated[
        ResourceList,
        Field(description="What a worker may use at most. Beyond the memory limit it is killed (OOMKilled)."),
    ] = ResourceList()

    model_config = rules(
        _within_limit("cpu"),
        _within_limit("memory"),
        _whole_bytes("requests"),
        _whole_bytes("limits"),
    )
