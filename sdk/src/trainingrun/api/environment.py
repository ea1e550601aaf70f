"""`spec.workers.env`: environment variables that the user gives to every worker."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

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

    name: Annotated[ObjectName, Field(description="Name of the object.")]
    key: Annotated[str, Field(pattern=_KEY_PATTERN, max_length=253, description="Key in it.")]


class EnvironmentVariable(Frozen):
    """A variable with exactly one source. Secrets and ConfigMaps are read by the kubelet, never by the operator."""

    name: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
            max_length=128,
            description=f"Name. Reserved are {', '.join(f'{prefix}*' for prefix in RESERVED_PREFIXES)}, "
            f"{', '.join(RESERVED_NAMES[:-1])} and {RESERVED_NAMES[-1]}.",
        ),
        AfterValidator(_not_reserved),
    ]
    value: Annotated[str | None, Field(max_length=4096, description="Value; $(NAME) is a variable that stands before it.")] = (
        None
    )
    secret_key_ref: Annotated[KeyReference | None, Field(description="The value is in this key of a Secret.")] = None
    config_map_key_ref: Annotated[KeyReference | None, Field(description="The value is in this key of a ConfigMap.")] = None

    model_config = rules(
        rule(
            f"!self.name.matches('{_RESERVED}')",
            "'workers.env must not set ' + self.name + ', which belongs to the operator, the trainer image or the node: "
            "remove it or use another name.'",
            computed=True,
        ),
        rule(
            "[has(self.value), has(self.secretKeyRef), has(self.configMapKeyRef)].filter(x, x).size() == 1",
            "'workers.env ' + self.name + ' needs exactly one of value, secretKeyRef and configMapKeyRef: keep one and "
            "remove the others.'",
            computed=True,
        ),
    )
