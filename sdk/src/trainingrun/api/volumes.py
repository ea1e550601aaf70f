"""`spec.workers.volumes`: claims, Secrets and ConfigMaps that the user mounts into every worker."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from trainingrun.api.base import Frozen, ObjectName, rule, rules
from trainingrun.mounts import TRAINER_MOUNTS

_SYSTEM_FOLDERS = ("bin", "boot", "dev", "etc", "lib", "lib32", "lib64", "opt", "proc", "run", "sbin", "sys", "usr", "var")

RESERVED_FOLDERS = tuple(sorted({*_SYSTEM_FOLDERS, *(mount.split("/")[1] for mount in TRAINER_MOUNTS)}))
"""Folders below the root that the trainer or its image uses; nothing may be mounted on or in them."""

_RESERVED = f"^/({'|'.join(RESERVED_FOLDERS)})(/.*)?$"
_SEGMENT = "[A-Za-z0-9_=+@-][A-Za-z0-9._=+@-]*"


def is_reserved_path(path: str) -> bool:
    """Whether a mount at this absolute path would hide what the trainer uses."""
    return re.match(_RESERVED, path) is not None


def _not_reserved(path: str) -> str:
    if is_reserved_path(path):
        raise ValueError(f"workers.volumes must not be mounted at {path}: use a folder such as /mnt/name.")
    return path


class ClaimVolume(Frozen):
    """A PersistentVolumeClaim of the run's namespace."""

    claim_name: Annotated[ObjectName, Field(description="Name of the PersistentVolumeClaim, for example datasets.")]


class SecretVolume(Frozen):
    """A Secret of the run's namespace, one file per key."""

    secret_name: Annotated[ObjectName, Field(description="Name of the Secret, for example licence.")]


class ConfigMapVolume(Frozen):
    """A ConfigMap of the run's namespace, one file per key."""

    name: Annotated[ObjectName, Field(description="Name of the ConfigMap, for example settings.")]


class Volume(Frozen):
    """A volume with exactly one source. Secrets and ConfigMaps are read by the kubelet, never by the operator."""

    name: Annotated[
        str,
        Field(
            pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=50, description="Name of the volume, for example embeddings."
        ),
    ]
    mount_path: Annotated[
        str,
        Field(
            pattern=f"^(/{_SEGMENT})+$",
            max_length=255,
            description="Absolute path in the workers, for example /mnt/embeddings. Reserved are "
            f"{', '.join(f'/{folder}' for folder in RESERVED_FOLDERS)} and all below them.",
        ),
        AfterValidator(_not_reserved),
    ]
    read_only: Annotated[
        bool, Field(description="Mount it read-only, as Secrets and ConfigMaps always are. Default: false.")
    ] = False
    persistent_volume_claim: Annotated[ClaimVolume | None, Field(description="A PersistentVolumeClaim of the namespace.")] = (
        None
    )
    secret: Annotated[SecretVolume | None, Field(description="A Secret of the namespace, a file for each key.")] = None
    config_map: Annotated[ConfigMapVolume | None, Field(description="A ConfigMap of the namespace, a file for each key.")] = (
        None
    )

    model_config = rules(
        rule(
            f"!self.mountPath.matches('{_RESERVED}')",
            "'workers.volumes ' + self.name + ' must not be mounted at ' + self.mountPath + ', which the trainer or its "
            "image uses: use a folder such as /mnt/' + self.name + '.'",
            computed=True,
        ),
        rule(
            "[has(self.persistentVolumeClaim), has(self.secret), has(self.configMap)].filter(x, x).size() == 1",
            "'workers.volumes ' + self.name + ' needs exactly one of persistentVolumeClaim, secret and configMap: keep one "
            "and remove the others.'",
            computed=True,
        ),
    )
