"""One run, as its user handles it."""

import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from trainingrun.api import Result, TrainingRun
from trainingrun.client import copying, manifests, owners
from trainingrun.client.errors import NotFoundError, ReportError, RunFailed, UsageError, WaitTimeoutError
from trainingrun.client.logs import Line, LogReader, worker_of
from trainingrun.client.port import RUN, Cluster, Object
from trainingrun.client.watching import changes
from trainingrun.curves import Epoch, epochs

REPORT = "report.html"


class Run:
    """A run by its name. `now` is how it was when it was last read; `refresh` and `watch` read it again."""

    def __init__(self, cluster: Cluster, found: Object, *, namespace: str) -> None:
        self.cluster = cluster
        self._found = found
        self.name: str = found["metadata"]["name"]
        self.namespace: str = found["metadata"].get("namespace") or namespace

    @property
    def now(self) -> TrainingRun:
        """The run as it was last read, typed."""
        return manifests.understood(self._found)

    @property
    def manifest(self) -> Object:
        """The same, as the API server wrote it."""
        return self._found

    @property
    def result(self) -> Result | None:
        """What it has achieved, once it has ended with a model."""
        return self.now.status.result

    @property
    def git_owner(self) -> str | None:
        """The tool that keeps the run as Git says, for example `Argo CD (team)`; None where nobody does."""
        metadata = self._found["metadata"]
        return owners.git_owner(metadata.get("labels", {}), metadata.get("annotations", {}))

    def refresh(self) -> TrainingRun:
        """Read it again."""
        self._found = self.cluster.get(RUN, self.name, namespace=self.namespace)
        return self.now

    def watch(self, *, timeout: float | None = None) -> Iterator[TrainingRun]:
        """The run as it is, then after every change; ends when it has succeeded or failed, or after `timeout` seconds.

        Goes on over broken connections. Raises NotFoundError when it is deleted.
        """
        for change in changes(self.cluster, RUN, namespace=self.namespace, name=self.name, at_most=timeout):
            if change.is_gone:
                raise NotFoundError(f"The run {self.name} was deleted while it was watched.", code=404)
            self._found = change.found
            run = self.now
            yield run
            if has_ended(run):
                return

    def wait(self, *, timeout: float | None = None, on_update: Callable[[TrainingRun], None] = lambda run: None) -> TrainingRun:
        """Wait until it has succeeded, and return it as it ended.

        Raises RunFailed when it has failed, WaitTimeoutError when it has not ended after `timeout` seconds (None: never), and
        NotFoundError when it is deleted.
        """
        run = None
        for run in self.watch(timeout=timeout):
            on_update(run)
        if run is None or not has_ended(run):
            columns = run.status.columns if run is not None else None
            state = columns.status if columns is not None else "not looked at by an operator"
            raise WaitTimeoutError(
                f"The run {self.name} has not ended within {timeout:.0f} s: it is {state}. It goes on; `kubectl trainingrun "
                f"why {self.name}` says what it waits for."
            )
        raise_if_failed(run)
        return run

    def logs(
        self, *, rank: int | None = None, worker: int | None = None, attempt: int | None = None, follow: bool = False
    ) -> Iterator[Line]:
        """The log of a worker (0 by default), or of one rank alone.

        With `follow` it waits for pods that have not started, and goes on over restarts until the run has ended.
        """
        chosen = worker_of(rank, self.now) if rank is not None else worker or 0
        reader = LogReader(self.cluster, namespace=self.namespace, name=self.name, worker=chosen, rank=rank)
        return reader.follow() if follow else reader.read(attempt=attempt)

    def curves(self) -> list[Epoch]:
        """What each epoch of its newest attempt has come to, also of those that earlier attempts have trained.

        Worker 0 says it in its log, so that nothing else must be allowed or reached. Once its pod has gone, the copy of the log
        on the output is read. Raises ReportError when there is neither, and what `download` does.
        """
        reader = LogReader(self.cluster, namespace=self.namespace, name=self.name, worker=0)
        try:
            return epochs(line.text for line in reader.read())
        except ReportError:
            if not self.now.status.attempt:
                raise
        with tempfile.TemporaryDirectory() as folder:
            (log,) = self.download(f"logs/{self.now.status.attempt}/0.log", into=folder)
            return epochs(log.read_text(errors="replace").splitlines())

    def suspend(self) -> TrainingRun:
        """Stop its pods; they write a checkpoint first."""
        return self._patch({"suspend": True})

    def resume(self) -> TrainingRun:
        """Go on from the newest checkpoint."""
        return self._patch({"suspend": None})

    def rerun(self, **spec: Any) -> TrainingRun:
        """Train again from the beginning, in any state, with these changes: `run.rerun(training={"epochs": 30})`.

        None removes a field.
        """
        return self.rerun_with(manifests.wire_form(spec, schema=manifests.spec_schema()))

    def rerun_with(self, spec: Object) -> TrainingRun:
        """The same, with a merge patch of the spec as the API server takes it."""
        mark = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return self._patch({**spec, "rerun": mark})

    def delete(self) -> None:
        """Delete it with its pods; what is on the output stays."""
        self.cluster.delete(RUN, self.name, namespace=self.namespace)

    def to_yaml(self) -> str:
        """As one keeps it in Git: without what the API server and the operator have added."""
        return manifests.to_yaml(manifests.without_server_fields(self._found))

    def report(self, into: str | Path = ".") -> Path:
        """Fetch the report of a run that has ended, and return the file: `<into>/<name>.html`.

        Raises ReportError when there is none, and says why.
        """
        refuse_without_report(self.now)
        (written,) = self.download(REPORT, into=into)
        return written.replace(Path(into, f"{self.name}.html"))

    def download(self, file: str = "", *, into: str | Path) -> list[Path]:
        """Copy a file or folder below the run's own folder of the output, or all of it, and return what was written.

        Raises ReportError when it is not there, when the output is an object store, and when the user may not read claims.
        """
        run = self.now
        folder = output_folder(run)
        claim = run.spec.output.persistent_volume_claim
        assert claim is not None, "output_folder has refused it"
        return copying.download(
            self.cluster,
            claim=claim.claim_name,
            path=str(folder / file),
            into=Path(into),
            image=known_image(run),
            namespace=self.namespace,
            owner=self._found,
        )

    def _patch(self, spec: Object) -> TrainingRun:
        self._found = self.cluster.patch(RUN, self.name, {"spec": spec}, namespace=self.namespace)
        return self.now


def has_ended(run: TrainingRun) -> bool:
    """Whether it has succeeded or failed, and what the status says is about the spec as it is: no rerun is on its way."""
    return run.status.is_finished and run.status.observed_generation >= run.metadata.generation


def raise_if_failed(run: TrainingRun) -> None:
    """Raise RunFailed when it has."""
    succeeded, failure = run.status.condition("Succeeded"), run.status.failure
    if succeeded is None or succeeded.status != "False":
        return
    raise RunFailed(
        run.metadata.name,
        cause=failure.cause if failure is not None else succeeded.reason,
        message=failure.message if failure is not None else succeeded.message,
        hint=failure.hint if failure is not None else "",
        log_tail=failure.log_tail if failure is not None else "",
    )


def output_folder(run: TrainingRun) -> PurePosixPath:
    """The run's folder on its claim. Raises ReportError for one whose output is an object store, and says where it is."""
    claim = run.spec.output.persistent_volume_claim
    if claim is None:
        place = f"{run.spec.output.uri}".rstrip("/")
        raise ReportError(
            f"The output of {run.metadata.name} is an object store: read {place}/{run.metadata.name}/ with the "
            "tools of the store."
        )
    return PurePosixPath(claim.path, run.metadata.name)


def refuse_without_report(run: TrainingRun) -> None:
    """Raise ReportError when a run has no report that could be fetched, and say why."""
    name, _ = run.metadata.name, output_folder(run)
    if not run.status.is_finished:
        raise ReportError(f"The run {name} has not finished: its report is written at the end.")
    succeeded, failure = run.status.condition("Succeeded"), run.status.failure
    if succeeded is not None and succeeded.status == "False" and run.status.result is None:
        why = f" ({failure.cause}). {failure.message}".rstrip() if failure is not None else "."
        raise ReportError(f"The run {name} has no report: it failed before it had a model{why}")


def known_image(run: TrainingRun) -> str:
    """An image that the run's nodes have. What applied to an attempt is forgotten when its pods are stopped; what its image has
    said of itself stays.

    Raises UsageError when nothing is known yet.
    """
    known = run.status.resolved or run.status.trainer
    image = known.image if known is not None else run.spec.image
    if not image:
        claim = run.spec.output.persistent_volume_claim
        place = f"{output_folder(run)} on the claim {claim.claim_name}" if claim is not None else run.spec.output.uri
        raise UsageError(f"Nothing says which image {run.metadata.name} ran with: read {place}, or say --image.")
    return image
