"""What worker pods carry besides what the trainer needs: labels, annotations, and who their processes are."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from trainingrun.api.base import Frozen, Rule, rule
from trainingrun.api.scheduling import LABEL_NAME_PATTERN, LABEL_VALUE_PATTERN, LabelName, LabelValue

RESERVED_LABELS = (
    *("trainingrun.dev/", "batch.kubernetes.io/", "kueue.x-k8s.io/", "scheduling.x-k8s.io/"),
    *("app.kubernetes.io/name", "app.kubernetes.io/managed-by", "job-name", "controller-uid"),
    *("sidecar.istio.io/inject", "istio.io/dataplane-mode"),
)
"""Labels that the operator, the Job controller, queues and gang schedulers go by; with a `/` at its end, all below it."""

RESERVED_ANNOTATIONS = (
    *("trainingrun.dev/", "batch.kubernetes.io/", "kueue.x-k8s.io/", "kubernetes.io/", "scheduling.k8s.io/"),
    *("container.apparmor.security.beta.kubernetes.io/", "container.seccomp.security.alpha.kubernetes.io/"),
    *("seccomp.security.alpha.kubernetes.io/", "linkerd.io/inject"),
)
"""The same of annotations: also those that would loosen what Pod Security asks for."""

MOST_MARKS = 16
_NO_NAME = f"!name.matches(r'{LABEL_NAME_PATTERN}')"
_A_NAME = "is no name of a label: use one such as cost-centre or example.com/team"


def _map(values: dict[str, Any]) -> WithJsonSchema:
    """A map of strings; its keys are judged by `mark_rules`, for which a schema has no words."""
    return WithJsonSchema({"type": "object", "maxProperties": MOST_MARKS, "additionalProperties": values})


PodLabels = Annotated[
    dict[LabelName, LabelValue],
    Field(max_length=MOST_MARKS),
    _map({"type": "string", "maxLength": 63, "pattern": LABEL_VALUE_PATTERN}),
]
PodAnnotations = Annotated[
    dict[LabelName, Annotated[str, Field(max_length=4096)]],
    Field(max_length=MOST_MARKS),
    _map({"type": "string", "maxLength": 4096}),
]


def _by_name(said: Any) -> Any:
    """The map that a list of names and values was in runs of earlier releases."""
    if isinstance(said, list | tuple) and all(isinstance(each, dict) and {"name", "value"} == each.keys() for each in said):
        return {each["name"]: each["value"] for each in said}
    return said


NodeSelector = Annotated[PodLabels, BeforeValidator(_by_name)]
"""Labels that a node must have, as in a pod."""


def node_selector_rule() -> Rule:
    """The rule about the keys of `nodeSelector`, a field of `self`."""
    return _no_key("nodeSelector", _NO_NAME, _A_NAME)


def mark_rules(field: str, reserved: tuple[str, ...]) -> tuple[Rule, Rule]:
    """Rules about the keys of a map of labels or annotations of the pods, a field of `self`."""
    names = [name for name in reserved if not name.endswith("/")]
    prefixes = [name for name in reserved if name.endswith("/")]
    taken = f"name in {names} || {prefixes}.exists(prefix, name.startsWith(prefix))"
    return (
        _no_key(field, _NO_NAME, _A_NAME),
        _no_key(field, taken, "belongs to the operator or the cluster: remove it"),
    )


def _no_key(field: str, condition: str, why: str) -> Rule:
    return rule(
        f"!has(self.{field}) || !self.{field}.exists(name, {condition})",
        f"'workers.{field} has %s, which {why}.'.format([self.{field}.filter(name, {condition})[0]])",
        field_path=f".{field}",
        computed=True,
    )


_Group = Annotated[int, Field(ge=0, le=2147483647)]


class SecurityContext(Frozen):
    """User and groups of the workers' processes. The level restricted allows any but the user 0."""

    run_as_user: Annotated[
        int | None,
        Field(
            ge=1,
            le=2147483647,
            description="User ID of the processes, for example 2000. Default: the operator's choice, 1000 or what the "
            "cluster gives.",
        ),
    ] = None
    run_as_group: Annotated[
        _Group | None, Field(description="Primary group of the processes, for example 2000. Default: as runAsUser.")
    ] = None
    fs_group: Annotated[
        _Group | None,
        Field(
            description="Group that volumes are made writable for, where they are mounted to be written and their kind "
            "supports it. Default: as runAsGroup."
        ),
    ] = None
    supplemental_groups: Annotated[
        tuple[_Group, ...],
        Field(
            max_length=16,
            description="Further groups of the processes, for example that of files on an NFS server.",
            json_schema_extra={"x-kubernetes-list-type": "set"},
        ),
    ] = ()
