"""The log of one worker or rank of a run, over restarts."""

from collections.abc import Iterator
from dataclasses import dataclass

from trainingrun.api import TrainingRun
from trainingrun.client.errors import NotFoundError, RefusedError, ReportError, UnreachableError, UsageError
from trainingrun.client.manifests import understood
from trainingrun.client.port import POD, RUN, Cluster, Object
from trainingrun.client.watching import changes

RUN_LABEL = "trainingrun.dev/run"
ATTEMPT_LABEL = "trainingrun.dev/attempt"
INDEX_LABEL = "batch.kubernetes.io/job-completion-index"
CONTAINER = "trainer"
_LOOK_AGAIN_SECONDS = 15.0
"""The longest that a pod is waited for before the run is asked whether it goes on."""


@dataclass(frozen=True)
class Line:
    """A line of a log, or a note about it."""

    text: str
    attempt: int
    is_note: bool = False
    """Whether it is about the log, and not in it: an attempt begins."""


@dataclass(frozen=True)
class LogReader:
    """Reads the log of one worker of a run; of one of its ranks alone, when `rank` is given."""

    cluster: Cluster
    namespace: str
    name: str
    worker: int
    rank: int | None = None

    def read(self, *, attempt: int | None = None) -> Iterator[Line]:
        """The log as it is, of the newest attempt that has a pod, or of this one.

        Raises ReportError when there is no such pod any more, and says where the log is then.
        """
        pods = self._pods()
        chosen = [pod for pod in pods if attempt is None or _attempt(pod) == attempt]
        if not chosen:
            raise ReportError(
                f"Worker {self.worker} of {self.name} has no pod{'' if attempt is None else f' in attempt {attempt}'}. Logs of "
                f"attempts that have gone are on the output, in {self.name}/logs/<attempt>/{self.worker}.log: `kubectl "
                f"trainingrun artifacts {self.name}` says where that is."
            )
        yield from self._lines(chosen[-1], follow=False, skip=0)

    def follow(self) -> Iterator[Line]:
        """The log as it is written, over restarts, until the run has ended; waits for pods that have not started.

        Raises NotFoundError when the run is deleted.
        """
        told = 0
        for change in changes(self.cluster, RUN, namespace=self.namespace, name=self.name):
            if change.is_gone:
                raise NotFoundError(f"The run {self.name} was deleted.", code=404)
            run = understood(change.found)
            while run.status.attempt > told:
                pod = self._started(run.status.attempt)
                if pod is not None:
                    yield from _headline(run, told=told)
                    yield from self._followed(pod)
                if pod is not None or run.status.is_finished:
                    told = run.status.attempt
                run = understood(self.cluster.get(RUN, self.name, namespace=self.namespace))
            if run.status.is_finished:
                return

    def _started(self, attempt: int) -> Object | None:
        """The pod of an attempt once its container has begun; None when it has not after a while, or has gone."""
        labels = {RUN_LABEL: self.name, ATTEMPT_LABEL: str(attempt), INDEX_LABEL: str(self.worker)}
        for change in changes(
            self.cluster,
            POD,
            namespace=self.namespace,
            labels=labels,
            patience=_LOOK_AGAIN_SECONDS,
            at_most=_LOOK_AGAIN_SECONDS,
        ):
            if not change.is_gone and _has_begun(change.found):
                return change.found
        return None

    def _followed(self, pod: Object) -> Iterator[Line]:
        """All of a pod's log, over connections that break: then it is read again, and what was told is left out."""
        count = 0
        while True:
            try:
                for line in self._lines(pod, follow=True, skip=count):
                    yield line
                    count += 1
            except UnreachableError:
                continue
            except RefusedError:
                return  # the pod has gone: the next attempt has another
            return

    def _lines(self, pod: Object, *, follow: bool, skip: int) -> Iterator[Line]:
        attempt, prefix = _attempt(pod), None if self.rank is None else f"[rank {self.rank}] "
        lines = self.cluster.log(pod["metadata"]["name"], namespace=self.namespace, container=CONTAINER, follow=follow)
        for text in lines:
            if prefix is None or text.startswith(prefix):
                if skip > 0:
                    skip -= 1
                    continue
                yield Line(text, attempt)

    def _pods(self) -> list[Object]:
        """The worker's pods, the newest attempt last."""
        labels = {RUN_LABEL: self.name, INDEX_LABEL: str(self.worker)}
        return sorted(self.cluster.list(POD, namespace=self.namespace, labels=labels).items, key=_attempt)


def worker_of(rank: int, run: TrainingRun) -> int:
    """The worker in which a rank runs. Raises UsageError for a rank that the run does not have."""
    resolved = run.status.resolved
    workers = resolved.replicas if resolved is not None else run.spec.workers.replicas
    each = resolved.processes_per_worker if resolved is not None else run.spec.workers.processes_per_worker or 1
    if not 0 <= rank < workers * each:
        raise UsageError(f"The run {run.metadata.name} has no rank {rank}: its ranks are 0 to {workers * each - 1}.")
    return rank // each


def _headline(run: TrainingRun, *, told: int) -> Iterator[Line]:
    """Which attempt begins, and why it does, where there was another one."""
    attempt = run.status.attempt
    if attempt == 1 or (not told and not run.status.history):
        return
    past = [each for each in run.status.history if each.attempt == attempt - 1]
    why = f", after {past[0].cause or past[0].outcome}" if past else ""
    yield Line(f"--- attempt {attempt}{why} ---", attempt, is_note=True)


def _attempt(pod: Object) -> int:
    return int(pod["metadata"].get("labels", {}).get(ATTEMPT_LABEL, "0"))


def _has_begun(pod: Object) -> bool:
    states = [each.get("state", {}) for each in pod.get("status", {}).get("containerStatuses", []) if each["name"] == CONTAINER]
    return any("running" in state or "terminated" in state for state in states)
