"""`spec.workers.env`: environment variables that the user gives to every worker."""

import re
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from trainingrun.api.base import Frozen, ObjectName, rule, rules

RESERVED_PREFIXES = ("HOROVOD_", "TRAININGRUN_", "OMPI_", "PMIX_", "PRTE_", "LD_", "PYTHON")
"""How ranks meet, what the loader and Python load: another value would break the gang or change what runs."""

RESERVED_NAMES = (
    "TF_CONFIG",  # TensorFlow's own way to form a gang
    "TF_USE_LEGACY_KERAS",
    "PATH",
    "HOME",
    "HOSTNAME",
    "TMPDIR",
    "BASH_ENV",
    "JOB_COMPLETION_INDEX",
    "NVIDIA_VISIBLE_DEVICES",  # "all" would reach the GPUs of other pods
    "CUDA_VISIBLE_DEVICES",
    "TPU_WORKER_ID",
    "TPU_WORKER_HOSTNAMES",
)

_RESERVED = f"^({'|'.join([*(f'{prefix}.*' for prefix in RESERVED_PREFIXES), *RESERVED_NAMES])})$"
_KEY_PATTERN = r"^\.?[A-Za-z0-9_-][A-Za-z0-9._-]*$"


def is_reserved_variable(name: str) -> bool:
    """Whether this variable belongs to the operator, the trainer image or the node."""
    return re.match(_RESERVED, name) is not None


def _not_reserved(name: str) -> str:
    if is_reserved_variable(name):
        raise ValueError(f"workers.env must not set {name}: remove it or use another name.")
    return name


class KeyReference(Frozen):
    """A key of a Secret or ConfigMap in the run's namespace."""

    name: Annotated[ObjectName, Field(description="Name of the Secret or ConfigMap, for example settings.")]
    key: Annotated[
        str, Field(pattern=_KEY_PATTERN, max_length=253, description="Which of its keys, for example token or ca.crt.")
    ]


class OptionalKeyReference(KeyReference):
    """A key that may be missing, where that is said."""

    optional: Annotated[
        bool | None, Field(description="Whether pods start without the variable when there is no such key. Default: false.")
    ] = None


class PodField(StrEnum):
    """What a pod may be told about itself."""

    NAME = "metadata.name"
    NAMESPACE = "metadata.namespace"
    UID = "metadata.uid"
    NODE_NAME = "spec.nodeName"
    SERVICE_ACCOUNT_NAME = "spec.serviceAccountName"
    HOST_IP = "status.hostIP"
    POD_IP = "status.podIP"


class FieldReference(Frozen):
    """A field of the worker's pod."""

    field_path: Annotated[PodField, Field(description="Path of the field, for example spec.nodeName.")]


_SOURCES = ("secretKeyRef", "configMapKeyRef", "fieldRef")


class VariableSource(Frozen):
    """Where the value of a variable stands, as in a pod. Secrets and ConfigMaps are read by the kubelet, not the operator."""

    secret_key_ref: Annotated[OptionalKeyReference | None, Field(description="The value is in this key of a Secret.")] = None
    config_map_key_ref: Annotated[
        OptionalKeyReference | None, Field(description="The value is in this key of a ConfigMap.")
    ] = None
    field_ref: Annotated[FieldReference | None, Field(description="The value is this field of the pod.")] = None

    model_config = rules(
        rule(
            f"[{', '.join(f'has(self.{source})' for source in _SOURCES)}].filter(x, x).size() == 1",
            "workers.env valueFrom needs exactly one of secretKeyRef, configMapKeyRef and fieldRef: keep one and remove the "
            "others.",
        )
    )


class EnvironmentVariable(Frozen):
    """A variable with a value, or a place to take it from."""

    name: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
            max_length=128,
            description=f"Name of the variable, for example NCCL_DEBUG. Reserved are "
            f"{', '.join(f'{prefix}*' for prefix in RESERVED_PREFIXES)}, "
            f"{', '.join(RESERVED_NAMES[:-1])} and {RESERVED_NAMES[-1]}.",
        ),
        AfterValidator(_not_reserved),
    ]
    value: Annotated[
        str | None,
        Field(
            max_length=4096,
            description="Its value, a text: quote numbers, true and false, for example '1'. $(NAME) is a variable that stands "
            "before it.",
        ),
    ] = None
    value_from: Annotated[VariableSource | None, Field(description="Where its value stands, instead of value.")] = None

    model_config = rules(
        rule(
            f"!self.name.matches('{_RESERVED}')",
            "'workers.env must not set ' + self.name + ', which belongs to the operator, the trainer image or the node: "
            "remove it or use another name.'",
            computed=True,
        ),
        rule(
            "has(self.value) != has(self.valueFrom)",
            "'workers.env ' + self.name + ' needs exactly one of value and valueFrom: keep one and remove the other.'",
            computed=True,
        ),
    )

    @model_validator(mode="before")
    @classmethod
    def _sources_of_earlier_releases(cls, said: Any) -> Any:
        """Take references that stand beside the name, as they did, for those of `valueFrom`."""
        if not isinstance(said, dict):
            return said
        beside = {name: value for name, value in said.items() if name in _SOURCES}
        return {**{name: said[name] for name in said.keys() - beside.keys()}, "valueFrom": beside} if beside else said
