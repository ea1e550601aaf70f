"""Are the Secrets and ConfigMaps there that the run needs to reach its data and output and to build its network?

Only asked before an attempt.
"""

from collections.abc import Iterator

from trainingrun.api import CertificateAuthority, Location, TrainingRun
from trainingrun_operator.life import BetweenAttempts
from trainingrun_operator.model import Reference
from trainingrun_operator.policies.waiting import wait_for_user
from trainingrun_operator.reasons import Reason
from trainingrun_operator.step import Step

_MISSING = {"ConfigMap": Reason.CONFIG_MAP_NOT_FOUND, "Secret": Reason.SECRET_NOT_FOUND}


def access_references(run: TrainingRun) -> tuple[Reference, ...]:
    """The objects that a run needs, each once."""
    return tuple(dict.fromkeys(reference for _, reference in _uses(run)))


def wait_for_access(life: BetweenAttempts) -> Step | None:
    """Wait for a missing Secret or ConfigMap, as for a missing claim. Without the permission to look nothing is missing."""
    missing = ((path, reference) for path, reference in _uses(life.run) if reference in life.observed.missing)
    path, reference = next(missing, ("", None))
    if reference is None:
        return None
    return wait_for_user(
        life,
        reason=_MISSING[reference.kind],
        message=f"There is no {reference.kind} {reference.name} ({path}) in namespace {life.run.metadata.namespace}: create "
        "it, and the run starts by itself.",
        about=reference,
    )


def _uses(run: TrainingRun) -> Iterator[tuple[str, Reference]]:
    """Where the run names a Secret or ConfigMap, and which."""
    yield from _of_location("spec.output", run.spec.output)
    yield from _of_location("spec.data.source", run.spec.data.source)
    entrypoint = run.spec.model.entrypoint
    if entrypoint is not None and entrypoint.config_map_name is not None:
        yield "spec.model.entrypoint.configMapName", Reference("ConfigMap", entrypoint.config_map_name)


def _of_location(where: str, location: Location) -> Iterator[tuple[str, Reference]]:
    if location.secret_name is not None:
        yield f"{where}.secretName", Reference("Secret", location.secret_name)
    if location.certificate_authority is not None:
        yield from _of_authority(f"{where}.certificateAuthority", location.certificate_authority)


def _of_authority(where: str, authority: CertificateAuthority) -> Iterator[tuple[str, Reference]]:
    if authority.config_map_key_ref is not None:
        yield f"{where}.configMapKeyRef.name", Reference("ConfigMap", authority.config_map_key_ref.name)
    if authority.secret_key_ref is not None:
        yield f"{where}.secretKeyRef.name", Reference("Secret", authority.secret_key_ref.name)
