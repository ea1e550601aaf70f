"""The cluster port on the official asynchronous client. Only this module and `lease` import `kubernetes`.

Objects are plain dictionaries, and paths are written out: no discovery, so the operator needs no permission for it, and no
typed models, which cost twenty times as much to parse.
"""

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import aiohttp
from kubernetes.aio import client

from trainingrun.api import GROUP, KIND, PLURAL, PRESET_KIND, PRESET_PLURAL, VERSION, ObjectMeta
from trainingrun.api.base import cut_bytes
from trainingrun_operator import names
from trainingrun_operator.cluster.port import (
    CHILD_KINDS,
    BusyError,
    ForbiddenError,
    NotFoundError,
    Raw,
)
from trainingrun_operator.cluster.refusals import error_of
from trainingrun_operator.cluster.skew import KnownFields, UndeclaredError
from trainingrun_operator.cluster.yaml_text import yaml_text
from trainingrun_operator.decision import Deletion, Event
from trainingrun_operator.metrics import Metrics
from trainingrun_operator.model import Manifest, Reference
from trainingrun_operator.pace import Timing

_EVENT_LIMIT = 1024
"""Bytes of the note of an Event; the API server refuses a longer one."""
_CONTROLLER = f"{GROUP}/operator"
_NOBODY = "unknown"
_EVENTS_READ = 100
"""About one object: what says the same again is counted in one Event, but anybody who may can make more of them."""
_METADATA_ONLY = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
_RUNS = f"apis/{GROUP}/{VERSION}"
_EVENTS = "apis/events.k8s.io/v1"
_ACCESS_REVIEWS = "apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_PATHS = {
    "Service": ("api/v1", "services"),
    "ConfigMap": ("api/v1", "configmaps"),
    "NetworkPolicy": ("apis/networking.k8s.io/v1", "networkpolicies"),
    "Job": ("apis/batch/v1", "jobs"),
    "Pod": ("api/v1", "pods"),
    "PersistentVolumeClaim": ("api/v1", "persistentvolumeclaims"),
    "Secret": ("api/v1", "secrets"),
    "Event": ("api/v1", "events"),
    "TrainingPreset": (_RUNS, PRESET_PLURAL),
    "Workload": ("apis/kueue.x-k8s.io/v1beta2", "workloads"),
}


class KubeCluster:
    """See `cluster.port.Cluster`."""

    def __init__(
        self,
        api: client.ApiClient,
        *,
        metrics: Metrics,
        timing: Timing,
        identity: str = _NOBODY,
        pod_groups: str | None = None,
        may_write: Callable[[], bool] = lambda: True,
    ) -> None:
        """`identity` is the name of this replica, for those who read Events. `pod_groups` is the API group and version of the
        gang scheduler's PodGroups, if there is one.

        What writes fails with BusyError while `may_write` says so: a leader that was held up is none any more.
        """
        self._api = api
        self._may_write = may_write
        self._identity = identity[:128] or _NOBODY
        self._metrics = metrics
        self._timing = timing
        self._fields = KnownFields()
        self._paths = _PATHS | ({"PodGroup": (f"apis/{pod_groups}", "podgroups")} if pod_groups else {})
        self._child_kinds = CHILD_KINDS + (("PodGroup",) if pod_groups else ())

    async def get_run(self, namespace: str, name: str) -> Raw | None:
        """See `Cluster`."""
        return await self._get(f"{_RUNS}/namespaces/{namespace}/{PLURAL}/{name}")

    async def list_runs(self, namespace: str | None) -> Sequence[Raw]:
        """See `Cluster`."""
        scope = f"namespaces/{namespace}/" if namespace else ""
        return await self._list(f"{_RUNS}/{scope}{PLURAL}", kind=KIND)

    async def list_children(self, namespace: str, run: str) -> Sequence[Raw]:
        """See `Cluster`."""
        lists = await asyncio.gather(*(self._list_labelled(namespace, kind, run) for kind in self._child_kinds))
        return [item for items in lists for item in items]

    async def list_pods(self, namespace: str, run: str) -> Sequence[Raw]:
        """See `Cluster`."""
        return await self._list_labelled(namespace, "Pod", run)

    async def find(self, namespace: str, kind: str, name: str) -> Raw | None:
        """See `Cluster`. A list of one: the operator may list its children's kinds, and not get them."""
        found = await self._list(self._path(kind, namespace), kind=kind, query=[("fieldSelector", f"metadata.name={name}")])
        return found[0] if found else None

    async def get_claim(self, namespace: str, name: str) -> Raw | None:
        """See `Cluster`."""
        return await self._get(f"{self._path('PersistentVolumeClaim', namespace)}/{name}")

    async def may_exist(self, namespace: str, reference: Reference) -> bool:
        """See `Cluster`. Only metadata is asked for: what is in a Secret never comes here."""
        if reference.kind == "Secret" and not await self._may_look(namespace, reference):
            return True
        try:
            await self._call("GET", f"{self._path(reference.kind, namespace)}/{reference.name}", accept=_METADATA_ONLY)
        except NotFoundError:
            return False
        return True

    async def _may_look(self, namespace: str, reference: Reference) -> bool:
        """Whether somebody has let the operator look at this object; by default it may not look at any Secret."""
        _, plural = self._paths[reference.kind]
        looking = {"verb": "get", "resource": plural, "namespace": namespace, "name": reference.name}
        body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview"}
        review = await self._call("POST", _ACCESS_REVIEWS, body={**body, "spec": {"resourceAttributes": looking}})
        return bool(review.get("status", {}).get("allowed"))

    async def get_preset(self, name: str) -> Raw | None:
        """See `Cluster`."""
        return await self._get(f"{_RUNS}/{PRESET_PLURAL}/{name}")

    async def list_workloads(self, namespace: str, job_uid: str) -> Sequence[Raw] | None:
        """See `Cluster`."""
        selector = [("labelSelector", f"{names.WORKLOAD_JOB_LABEL}={job_uid}")]
        try:
            return await self._list(self._path("Workload", namespace), kind="Workload", query=selector)
        except NotFoundError:
            return None
        except ForbiddenError:
            return ()

    async def list_events(self, namespace: str, uid: str) -> Sequence[Raw]:
        """See `Cluster`."""
        selector = [("fieldSelector", f"involvedObject.uid={uid}"), ("limit", str(_EVENTS_READ))]
        try:
            return await self._list(self._path("Event", namespace), kind="Event", query=selector)
        except ForbiddenError:
            return ()

    async def list_nodes(self) -> Sequence[Raw]:
        """See `Cluster`."""
        return await self._list("api/v1/nodes", kind="Node")

    async def create(self, manifest: Manifest) -> None:
        """See `Cluster`."""
        await self._call("POST", self._path(manifest["kind"], manifest["metadata"]["namespace"]), body=manifest)

    async def delete(self, namespace: str, deletion: Deletion) -> None:
        """See `Cluster`."""
        options = {"propagationPolicy": "Foreground", "preconditions": {"uid": deletion.uid}}
        with contextlib.suppress(NotFoundError):
            await self._call("DELETE", f"{self._path(deletion.kind, namespace)}/{deletion.name}", body=options)

    async def apply_status(self, run: ObjectMeta, *, status: Manifest) -> None:
        """See `Cluster`. What a CRD that is older than the operator does not know is left out."""
        try:
            await self._apply_status(run, status=self._fields.known(status))
        except UndeclaredError as older:
            if not self._fields.learn(older.fields):
                raise
            await self.apply_status(run, status=status)

    async def _apply_status(self, run: ObjectMeta, *, status: Manifest) -> None:
        body = {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": KIND,
            "metadata": {
                "name": run.name,
                "namespace": run.namespace,
                "uid": run.uid,
                "resourceVersion": run.resource_version,
            },
            "status": status,
        }
        await self._call(
            "PATCH",
            f"{_RUNS}/namespaces/{run.namespace}/{PLURAL}/{run.name}/status",
            query=[("fieldManager", names.OPERATOR_NAME), ("force", "true")],
            body=yaml_text(body),
            content_type="application/apply-patch+yaml; charset=utf-8",
        )

    async def emit(self, run: Raw, event: Event) -> None:
        """See `Cluster`."""
        namespace, name = run["metadata"]["namespace"], run["metadata"]["name"]
        regarding = {"apiVersion": f"{GROUP}/{VERSION}", "kind": KIND, "namespace": namespace, "name": name}
        body = {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"generateName": f"{name}-", "namespace": namespace},
            "regarding": {**regarding, "uid": run["metadata"]["uid"]},
            "type": event.type.value,
            "reason": str(event.reason),
            "action": event.action,
            "note": cut_bytes(event.message, _EVENT_LIMIT),
            "eventTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "reportingController": _CONTROLLER,
            "reportingInstance": self._identity,
        }
        if event.related is not None:
            body["related"] = self._named(event.related, namespace)
        await self._call("POST", f"{_EVENTS}/namespaces/{quote(namespace)}/events", body=body)

    def _named(self, about: Reference, namespace: str) -> Manifest:
        """A reference as objects have it. Only a preset is in no namespace."""
        api = self._paths[about.kind][0].removeprefix("apis/").removeprefix("api/")
        place = {} if about.kind == PRESET_KIND else {"namespace": namespace}
        return {"apiVersion": api, "kind": about.kind, "name": about.name, **place}

    async def _list_labelled(self, namespace: str, kind: str, run: str) -> Sequence[Raw]:
        try:
            return await self._list(
                self._path(kind, namespace), kind=kind, query=[("labelSelector", f"{names.RUN_LABEL}={run}")]
            )
        except NotFoundError:  # a kind that is not installed: creating one tells the user
            return ()
        except ForbiddenError:  # so does this, and runs that need none go on
            if kind in CHILD_KINDS or kind == "Pod":
                raise
            return ()

    def _path(self, kind: str, namespace: str) -> str:
        group, plural = self._paths[kind]
        return f"{group}/namespaces/{quote(namespace)}/{plural}"

    async def _list(self, path: str, *, kind: str, query: Sequence[tuple[str, str]] = ()) -> Sequence[Raw]:
        """Items of a list; lists leave out the kind of their items."""
        listed = await self._call("GET", path, query=query)
        return [{**item, "kind": kind} for item in listed.get("items", ())]

    async def _get(self, path: str) -> Raw | None:
        try:
            return await self._call("GET", path)
        except NotFoundError:
            return None

    async def _call(
        self,
        verb: str,
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        body: Manifest | str | None = None,
        content_type: str = "application/json",
        accept: str = "application/json",
    ) -> Mapping[str, Any]:
        if verb != "GET" and not self._may_write():
            raise BusyError(f"{verb} {path}: not sent, as this operator does not lead any more")
        headers = {"Accept": accept, "Content-Type": content_type}
        request = await self._api.param_serialize(
            verb, f"/{path}", query_params=list(query), header_params=headers, body=body, auth_settings=["BearerToken"]
        )
        try:
            response = (await self._api.call_api(*request, _request_timeout=self._timing.api_timeout_seconds)).response
            content = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as lost:
            self._metrics.api_calls.labels(verb, "none").inc()
            raise BusyError(f"{verb} {path}: no answer from the API server ({lost!r})") from lost
        self._metrics.api_calls.labels(verb, str(response.status)).inc()
        if response.status >= 300:
            raise error_of(response.status, content, verb=verb, path=path, retry_after=response.headers.get("Retry-After"))
        try:
            parsed = json.loads(content)
        except ValueError:
            parsed = None
        if not isinstance(parsed, dict):  # a proxy on the way has answered
            raise BusyError(f"{verb} {path}: an answer that is no object: {content[:200].decode(errors='replace')}")
        return parsed
