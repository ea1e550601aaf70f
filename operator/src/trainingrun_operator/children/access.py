"""What a worker needs to reach a uri: the Secret and the CA bundle that the run names, as one volume of files."""

from trainingrun.api import Location
from trainingrun.contract import CERTIFICATE_AUTHORITY_FILE
from trainingrun_operator.model import Manifest

_MODE = 0o440
"""Readable by the pod's group, and by nobody else."""


def access_volume(name: str, location: Location) -> Manifest | None:
    """The volume, or None when the run names neither.

    Everything in it is optional, so that a key that is missing becomes a sentence of the trainer's, not a container that is
    never made.
    """
    sources = [*_credentials(location), *_certificates(location)]
    if not sources:
        return None
    return {"name": name, "projected": {"defaultMode": _MODE, "sources": sources}}


def _credentials(location: Location) -> list[Manifest]:
    if location.secret_name is None:
        return []
    return [{"secret": {"name": location.secret_name, "optional": True}}]


def _certificates(location: Location) -> list[Manifest]:
    authority = location.certificate_authority
    if authority is None:
        return []
    references = {"configMap": authority.config_map_key_ref, "secret": authority.secret_key_ref}
    return [
        {
            kind: {
                "name": reference.name,
                "items": [{"key": reference.key, "path": CERTIFICATE_AUTHORITY_FILE}],
                "optional": True,
            }
        }
        for kind, reference in references.items()
        if reference is not None
    ]
