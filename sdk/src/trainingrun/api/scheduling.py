"""Where worker pods may run: labels of nodes, and taints that they tolerate."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from trainingrun.api.base import OBJECT_NAME, Frozen, rule, rules

LABEL = "[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
LABEL_NAME_PATTERN = f"^({OBJECT_NAME}/)?{LABEL}$"

LABEL_VALUE_PATTERN = f"^({LABEL})?$"

LabelName = Annotated[str, Field(pattern=LABEL_NAME_PATTERN, max_length=317)]
LabelValue = Annotated[str, Field(pattern=LABEL_VALUE_PATTERN, max_length=63)]

LOST_NODE_TAINTS = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
"""Taints of a node that does not answer; how long pods stay on it is the operator's to say."""


class TolerationOperator(StrEnum):
    """How a toleration is compared with a taint."""

    EXISTS = "Exists"
    EQUAL = "Equal"


class TaintEffect(StrEnum):
    """What a taint does to pods that do not tolerate it."""

    NO_SCHEDULE = "NoSchedule"
    PREFER_NO_SCHEDULE = "PreferNoSchedule"
    NO_EXECUTE = "NoExecute"


_EXISTS = "(has(self.operator) && self.operator == 'Exists')"


class Toleration(Frozen):
    """A taint that does not keep worker pods away, as in a pod."""

    key: Annotated[
        LabelName | None,
        Field(description="Key of the taint, for example nvidia.com/gpu. Without it, and with Exists: every taint."),
    ] = None
    operator: Annotated[
        TolerationOperator, Field(description="Equal compares the value, Exists takes any. Default: Equal.")
    ] = TolerationOperator.EQUAL
    value: Annotated[LabelValue, Field(description="Value of the taint, with operator Equal, for example training.")] = ""
    effect: Annotated[
        TaintEffect | None,
        Field(description="NoSchedule, PreferNoSchedule or NoExecute. Default: all of them."),
    ] = None
    toleration_seconds: Annotated[
        int | None,
        Field(ge=0, le=31536000, description="How long a NoExecute taint is tolerated, for example 300. Default: for ever."),
    ] = None

    model_config = rules(
        rule(
            f"has(self.key) || {_EXISTS}",
            "workers.tolerations without a key needs operator Exists: add the key of the taint, or tolerate every taint with "
            "operator Exists.",
        ),
        rule(
            f"!{_EXISTS} || !has(self.value) || self.value == ''",
            "'workers.tolerations with operator Exists takes any value: remove value ' + self.value + ' or use operator "
            "Equal.'",
            computed=True,
        ),
        rule(
            "!has(self.tolerationSeconds) || (has(self.key) && has(self.effect) && self.effect == 'NoExecute')",
            "workers.tolerations.tolerationSeconds is only read with a key and effect NoExecute: add both or remove "
            "tolerationSeconds.",
        ),
        rule(
            f"!has(self.key) || !(self.key in {list(LOST_NODE_TAINTS)})",
            "'workers.tolerations must not name ' + self.key + ', which the operator tolerates for a short time: remove it "
            "and say with recovery.lostNode what happens when a node is lost.'",
            computed=True,
        ),
    )
