"""`lint`: what the API server refuses, and what it cannot see: is there what the run names?"""

from collections.abc import Iterator

from trainingrun.api import TrainingRun
from trainingrun.cli.acting import read
from trainingrun.cli.connecting import client
from trainingrun.cli.options import Place
from trainingrun.client import TrainingClient
from trainingrun.client.errors import NotFoundError, RefusedError
from trainingrun.client.port import CLAIM, CONFIG_MAP, LOCAL_QUEUE, PRESET, Kind, Object

_QUEUE_LABEL = "kueue.x-k8s.io/queue-name"


class LintError(RefusedError):
    """Something is wrong about a file; each line of the text is a sentence."""


def lint(place: Place, filename: str) -> None:
    """Raises LintError with everything that is wrong, and UsageError for a file that holds no runs."""
    connected = client(place)
    wrong = [
        f"{manifest['metadata']['name']}: {sentence}"
        for manifest in read(filename)
        for sentence in sentences(connected, manifest)
    ]
    if wrong:
        raise LintError("\n".join(wrong), code=422)
    print(f"{filename} is well: the cluster takes it, and what it names is there.")


def sentences(connected: TrainingClient, manifest: Object) -> Iterator[str]:
    """What is wrong about one run."""
    try:
        run = connected.apply(manifest, dry_run=True)
    except RefusedError as refusal:
        yield from refusal.causes or (str(refusal),)
        return
    for kind, name, field in _named(run.now):
        namespace = run.namespace if kind.is_namespaced else None
        try:
            connected.cluster.get(kind, name, namespace=namespace)
        except NotFoundError:
            where = f" in namespace {namespace}" if namespace else ""
            yield f"There is no {kind.name} {name} ({field}){where}: make it, or the run waits for it."
        except RefusedError:
            continue  # who may not see it cannot say that it is missing


def _named(run: TrainingRun) -> Iterator[tuple[Kind, str, str]]:
    """Each object that a run names, and the field that does."""
    source, output, entrypoint = run.spec.data.source, run.spec.output, run.spec.model.entrypoint
    if source.persistent_volume_claim is not None:
        yield CLAIM, source.persistent_volume_claim.claim_name, "spec.data.source.persistentVolumeClaim.claimName"
    if output.persistent_volume_claim is not None:
        yield CLAIM, output.persistent_volume_claim.claim_name, "spec.output.persistentVolumeClaim.claimName"
    if entrypoint is not None and entrypoint.config_map_name is not None:
        yield CONFIG_MAP, entrypoint.config_map_name, "spec.model.entrypoint.configMapName"
    if run.spec.preset is not None:
        yield PRESET, run.spec.preset, "spec.preset"
    if queue := run.metadata.labels.get(_QUEUE_LABEL):
        yield LOCAL_QUEUE, queue, f"metadata.labels[{_QUEUE_LABEL}]"
