"""The port, answered by a real cluster through lightkube: the only module that knows it."""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, cast

import httpx2
import lightkube
from httpx2.websockets import HTTPXWSException, WebSocketUpgradeError
from lightkube.core.exceptions import ApiError, ConfigError
from lightkube.generic_resource import GenericGlobalResource, GenericNamespacedResource, create_api_info
from lightkube.types import PatchType

from trainingrun.client.errors import ExpiredError, NotFoundError, RefusedError, UnreachableError
from trainingrun.client.kubeconfig import configuration, keepalive, verified
from trainingrun.client.port import Executed, Kind, Listed, Object, Sink

MANAGER = "kubectl-trainingrun"
"""As which fields are managed: `kubectl get --show-managed-fields` names it."""

_SECONDS = 30.0
"""Until a request that is no watch is given up."""


class KubeCluster:
    """A cluster behind a kubeconfig, or around this pod."""

    def __init__(
        self, *, kubeconfig: str | Path | None = None, context: str | None = None, namespace: str | None = None
    ) -> None:
        """The cluster of a context: by default the current one of $KUBECONFIG or ~/.kube/config, else the one around this pod.

        Raises UnreachableError when no configuration says where a cluster is.
        """
        try:
            config = configuration(kubeconfig, context)
            transport = httpx2.HTTPTransport(verify=verified(config), socket_options=keepalive())
            timeout = httpx2.Timeout(_SECONDS)
            self._client = lightkube.Client(
                config, namespace=namespace, timeout=timeout, field_manager=MANAGER, transport=transport
            )
        except (ConfigError, OSError, KeyError, TypeError, ValueError, AttributeError) as problem:
            raise UnreachableError(
                f"No cluster is known: {problem}. Say where one is with --kubeconfig, $KUBECONFIG or --context; "
                "`kubectl config get-contexts` shows what there is."
            ) from problem
        self._server = config.cluster.server

    @property
    def namespace(self) -> str:
        """The namespace of the context."""
        return str(self._client.namespace)

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def get(self, kind: Kind, name: str, *, namespace: str | None = None) -> Object:
        """See `Cluster`."""
        with self._told(f"{kind.name} {name}"):
            return _plain(self._client.get(_resource(kind), name, **_scope(kind, namespace)))

    def list(
        self,
        kind: Kind,
        *,
        namespace: str | None = None,
        labels: Mapping[str, str] | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> Listed:
        """See `Cluster`."""
        with self._told(kind.plural):
            found = self._client.list(
                _resource(kind), labels=dict(labels or {}), fields=dict(fields or {}), **_scope(kind, namespace)
            )
            items = [_named(_plain(item), kind) for item in found]
            return Listed(items, found.resourceVersion)

    def watch(
        self,
        kind: Kind,
        *,
        since: str,
        seconds: int,
        namespace: str | None = None,
        labels: Mapping[str, str] | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> Iterator[tuple[str, Object]]:
        """See `Cluster`. Not by lightkube's own watch, which cannot be ended, nor does it notice a peer that has gone."""
        selectors = {"labelSelector": _selector(labels), "fieldSelector": _selector(fields)}
        params = {**selectors, "resourceVersion": since, "timeoutSeconds": str(seconds)}
        requests: Any = self._client._client
        asked = requests.prepare_request("list", res=_resource(kind), watch=True, params=params, **_scope(kind, namespace))
        asked.timeout = httpx2.Timeout(_SECONDS, read=seconds + _SECONDS)
        with self._told(kind.plural):
            response = requests.send(requests.build_adapter_request(asked), stream=True)
            try:
                if response.is_error:
                    response.read()
                requests.raise_for_status(response)
                for line in response.iter_lines():
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        raise _status_error(event["object"])
                    yield event["type"], event["object"]
            finally:
                response.close()

    def create(self, kind: Kind, manifest: Object, *, namespace: str | None = None, dry_run: bool = False) -> Object:
        """See `Cluster`."""
        return self._written("post", kind, _what(kind, manifest), manifest, namespace=namespace, dry_run=dry_run)

    def apply(self, kind: Kind, manifest: Object, *, namespace: str | None = None, dry_run: bool = False) -> Object:
        """See `Cluster`."""
        name = manifest["metadata"]["name"]
        headers, params = {"Content-Type": PatchType.APPLY.value}, {"force": "true"}
        return self._written(
            "patch",
            kind,
            f"{kind.name} {name}",
            manifest,
            name=name,
            headers=headers,
            params=params,
            namespace=namespace,
            dry_run=dry_run,
        )

    def patch(self, kind: Kind, name: str, changes: Object, *, namespace: str | None = None, dry_run: bool = False) -> Object:
        """See `Cluster`."""
        headers = {"Content-Type": PatchType.MERGE.value}
        return self._written(
            "patch", kind, f"{kind.name} {name}", changes, name=name, headers=headers, namespace=namespace, dry_run=dry_run
        )

    def _written(
        self,
        method: str,
        kind: Kind,
        what: str,
        body: Object,
        *,
        name: str | None = None,
        namespace: str | None,
        dry_run: bool,
        headers: dict[str, str] | None = None,
        params: dict[str, str] | None = None,
    ) -> Object:
        """Write an object. As with kubectl, a field that the API does not know is refused and not dropped."""
        content = headers["Content-Type"] if headers is not None else ""
        whole = content != PatchType.MERGE.value
        made = _resource(kind)({**body, "apiVersion": kind.api_version, "kind": kind.name}) if whole else body
        strict = {"fieldValidation": "Strict", **({"dryRun": "All"} if dry_run else {}), **(params or {})}
        with self._told(what):
            requests: Any = self._client._client
            scope = _scope(kind, namespace)
            return _plain(requests.request(method, _resource(kind), made, name, headers=headers, params=strict, **scope))

    def delete(self, kind: Kind, name: str, *, namespace: str | None = None, grace_seconds: int | None = None) -> None:
        """See `Cluster`."""
        with self._told(f"{kind.name} {name}"):
            self._client.delete(_resource(kind), name, grace_period=grace_seconds, **_scope(kind, namespace))

    def log(
        self, pod: str, *, namespace: str | None = None, container: str, follow: bool = False, since_seconds: int | None = None
    ) -> Iterator[str]:
        """See `Cluster`."""
        with self._told(f"the log of pod {pod}"):
            yield from self._client.log(
                pod, namespace=namespace, container=container, follow=follow, since=since_seconds, newlines=False
            )

    def execute(
        self,
        pod: str,
        command: Sequence[str],
        *,
        namespace: str | None = None,
        stdin: BinaryIO | None = None,
        stdout: Sink | None = None,
    ) -> Executed:
        """See `Cluster`."""
        errors = io.BytesIO()
        with self._told(f"pod {pod}"):
            done = self._client.exec(
                pod,
                namespace=namespace or self.namespace,
                command=command,
                stdin=stdin,
                stdout=cast(BinaryIO, stdout) if stdout is not None else False,
                stderr=errors,
            )
        return Executed(done.exit_code, errors.getvalue().decode(errors="replace").strip())

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """Turn the library's errors into ours."""
        try:
            yield
        except ApiError as refusal:
            raise _refused(refusal, what) from refusal
        except httpx2.HTTPStatusError as refusal:
            code = refusal.response.status_code
            if code == 404:
                raise NotFoundError(
                    f"The cluster knows nothing of {what}: is TrainingRun installed? `kubectl trainingrun doctor` says more.",
                    code=code,
                ) from refusal
            raise RefusedError(f"The API server has answered {code} about {what}.", code=code) from refusal
        except ConfigError as problem:
            raise UnreachableError(f"The kubeconfig's program for logging in has failed: {problem}") from problem
        except WebSocketUpgradeError as refusal:
            code = refusal.response.status_code
            raise RefusedError(f"The API server has answered {code} to a command in {what}.", code=code) from refusal
        except (httpx2.HTTPError, HTTPXWSException) as problem:
            why = str(problem) or type(problem).__name__
            raise UnreachableError(
                f"The API server {self._server} does not answer: {why}. Is the cluster up, and is it the right context?"
            ) from problem


def _refused(refusal: ApiError, what: str) -> RefusedError:
    status = refusal.status
    found = status.details.causes if status.details is not None else None
    causes = [f"{cause.field}: {cause.message}" if cause.field else str(cause.message) for cause in found or []]
    text = status.message or f"{what} was refused."
    return _error(text, code=status.code or 0, reason=status.reason or "", causes=causes)


def _status_error(status: Object) -> RefusedError:
    return _error(status.get("message", ""), code=status.get("code", 0), reason=status.get("reason", ""), causes=())


def _error(text: str, *, code: int, reason: str, causes: Sequence[str]) -> RefusedError:
    made = NotFoundError if code == 404 else ExpiredError if code == 410 else RefusedError
    return made(text, code=code, reason=reason, causes=causes)


def _selector(pairs: Mapping[str, str] | None) -> str | None:
    return ",".join(f"{name}={value}" for name, value in pairs.items()) if pairs else None


@cache
def _resource(kind: Kind) -> Any:
    """A class of lightkube whose objects are the dictionaries that the API server writes."""
    base = GenericNamespacedResource if kind.is_namespaced else GenericGlobalResource
    info = create_api_info(kind.group, kind.version, kind.name, kind.plural)
    return type(kind.name, (base,), {"_api_info": info})


def _scope(kind: Kind, namespace: str | None) -> dict[str, Any]:
    return {"namespace": namespace} if kind.is_namespaced else {}


def _plain(found: Any) -> Object:
    made: Object = dict(found)
    return made


def _named(item: Object, kind: Kind) -> Object:
    """The items of a list do not say what they are."""
    return {"apiVersion": kind.api_version, "kind": kind.name, **item}


def _what(kind: Kind, manifest: Object) -> str:
    return f"{kind.name} {manifest.get('metadata', {}).get('name', '')}".rstrip()
