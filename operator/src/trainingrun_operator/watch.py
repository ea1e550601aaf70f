"""Kopf as the source of events, and nothing else: an event only says which run to look at.

Handlers are `on.event` handlers, which write nothing to the objects: no finalizer, no annotation, no progress. Besides the
entry point only this module imports kopf.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import kopf

from trainingrun.api import GROUP, PLURAL, VERSION
from trainingrun_operator import names
from trainingrun_operator.control.queue import WorkQueue
from trainingrun_operator.control.survey import Hearing
from trainingrun_operator.pace import Timing

Key = tuple[str, str]


def registry(queue: WorkQueue[Key], *, hearing: Hearing) -> kopf.OperatorRegistry:
    """Handlers that put the run of every changed TrainingRun, Job and Pod into the queue, and tell `hearing` of it."""
    handlers = kopf.OperatorRegistry()

    @kopf.on.login(registry=handlers, id="login")
    def log_in(**details: Any) -> kopf.ConnectionInfo | None:
        return kopf.login_with_service_account(**details) or kopf.login_with_kubeconfig(**details)

    @kopf.on.event(GROUP, VERSION, PLURAL, registry=handlers, id="run")
    async def on_run(namespace: str | None, name: str | None, meta: Mapping[str, Any], **_: Any) -> None:
        key = (namespace or "", name or "")
        hearing.run(key, version=str(meta.get("resourceVersion", "")))
        queue.add(key)

    async def on_child(namespace: str | None, labels: Mapping[str, str], resource: kopf.Resource, **_: Any) -> None:
        hearing.child(resource.plural)
        run = labels.get(names.RUN_LABEL)
        if run:
            queue.add((namespace or "", run))

    label = {names.RUN_LABEL: kopf.PRESENT}
    kopf.on.event("batch", "v1", "jobs", registry=handlers, labels=label, id="job")(on_child)
    kopf.on.event("", "v1", "pods", registry=handlers, labels=label, id="pod")(on_child)
    return handlers


def settings(timing: Timing) -> kopf.OperatorSettings:
    """Kopf's settings for an operator that only listens; research and reasons in docs/adr/0001."""
    chosen = kopf.OperatorSettings()
    chosen.scanning.disabled = True
    chosen.peering.standalone = True
    chosen.posting.enabled = False
    chosen.watching.chunk_size = 500
    for kind in ("jobs", "pods"):
        chosen.watching.label_selectors[kind] = names.RUN_LABEL  # else every pod of the cluster would be streamed
    chosen.networking.request_timeout = timing.api_timeout_seconds
    chosen.networking.connect_timeout = 5.0
    chosen.networking.error_backoffs = (0.5, 1, 2, 4, 8)
    chosen.queueing.idle_timeout = 1.0
    chosen.queueing.exit_timeout = 5.0
    chosen.execution.max_workers = 4
    chosen.process.ultimate_exiting_timeout = 25.0
    chosen.persistence.finalizer = f"{names.GROUP_PREFIX}/unused"
    return chosen


async def watch(queue: WorkQueue[Key], *, namespaces: Sequence[str] | None, timing: Timing, hearing: Hearing) -> None:
    """Watch these namespaces, or all, until SIGTERM, which kopf handles itself once it runs.

    Raises when a watcher fails, so that the process ends instead of going blind.
    """
    handlers = registry(queue, hearing=hearing)
    await kopf.operator(
        registry=handlers,
        settings=settings(timing),
        namespaces=namespaces or [],
        clusterwide=not namespaces,
        standalone=True,
        # Ours know each other by their Lease. Without a word Kopf would ask for the name of its user, who may have none.
        identity=names.OPERATOR_NAME,  # type: ignore[arg-type]  # a string, whose type kopf does not export
    )
