"""A small API server over HTTP, with what the client asks of one: lists, watches that can be cut or forgotten, logs."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

Object = dict[str, Any]
Key = tuple[str, str, str]
"""Plural, namespace, name."""


@dataclass
class Store:
    """The objects and what has happened to them; threads wait for more."""

    objects: dict[Key, Object] = field(default_factory=dict)
    events: list[tuple[int, str, str, Object]] = field(default_factory=list)
    """Version, ADDED or the like, plural, object."""
    version: int = 100
    forgotten: int = 0
    """Watches from before this version are told 410 Gone."""
    cut: int = 0
    """Grows when all open watches are to be cut off."""
    logs: dict[str, list[str]] = field(default_factory=dict)
    log_cuts: dict[str, int] = field(default_factory=dict)
    """Lines after which the log of a pod breaks off, once."""
    asked: list[tuple[str, str, dict[str, str], Any]] = field(default_factory=list)
    """Method, path, parameters and body of every request."""
    headers: list[dict[str, str]] = field(default_factory=list)
    denied: set[str] = field(default_factory=set)
    """Plurals that the user may not see."""
    changed: threading.Condition = field(default_factory=threading.Condition)
    stopped: bool = False

    def put(self, plural: str, found: Object, *, namespace: str = "team") -> Object:
        """Create an object or change it."""
        with self.changed:
            self.version += 1
            name = found["metadata"]["name"]
            before = self.objects.get((plural, namespace, name))
            metadata = {"namespace": namespace, "uid": f"uid-{name}", "generation": 1, **found["metadata"]}
            made = {**found, "metadata": {**metadata, "resourceVersion": str(self.version)}}
            self.objects[plural, namespace, name] = made
            self.events.append((self.version, "MODIFIED" if before else "ADDED", plural, made))
            self.changed.notify_all()
            return made

    def remove(self, plural: str, name: str, *, namespace: str = "team") -> None:
        """Delete an object."""
        with self.changed:
            self.version += 1
            gone = self.objects.pop((plural, namespace, name))
            gone["metadata"]["resourceVersion"] = str(self.version)
            self.events.append((self.version, "DELETED", plural, gone))
            self.changed.notify_all()

    def cut_off(self, *, forget: bool = False) -> None:
        """Break all watches; with `forget` the versions so far are forgotten, too."""
        with self.changed:
            self.cut += 1
            if forget:
                self.version += 1
                self.forgotten = self.version
            self.changed.notify_all()

    def bodies(self, method: str) -> list[Any]:
        """What was sent with this method."""
        return [body for asked, _, _, body in self.asked if asked == method]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    store: Store

    def log_message(self, *_: object) -> None:
        return

    def _serve(self) -> None:
        split = urlsplit(self.path)
        params = {name: values[0] for name, values in parse_qs(split.query).items()}
        size = int(self.headers.get("Content-Length", "0"))
        body: Any = json.loads(self.rfile.read(size)) if size else None
        self.store.asked.append((self.command, split.path, params, body))
        self.store.headers.append(dict(self.headers))
        parts = split.path.strip("/").split("/")
        rest = parts[2:] if parts[0] == "api" else parts[3:]
        namespace = rest[1] if rest[0] == "namespaces" else ""
        plural, *below = rest[2:] if namespace else rest
        if plural in self.store.denied:
            self._refuse(403, "Forbidden", f"{plural} is forbidden: you may not")
        elif below[1:] == ["log"]:
            self._log(below[0])
        elif plural == "selfsubjectaccessreviews":
            allowed = body["spec"]["resourceAttributes"]["resource"] not in self.store.denied
            self._answer(201, {**body, "status": {"allowed": allowed}})
        elif params.get("watch"):
            self._watch(plural, params)
        elif not below and self.command == "GET":
            items = [
                each for (kind, place, _), each in self.store.objects.items() if kind == plural and namespace in ("", place)
            ]
            chosen = [each for each in items if _matches(each, params)]
            self._answer(200, {"metadata": {"resourceVersion": str(self.store.version)}, "items": chosen})
        elif self.command == "POST":
            self._create(plural, namespace, body)
        else:
            self._one(plural, namespace, below[0], body)

    do_GET = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815 - names that http.server looks for

    def _create(self, plural: str, namespace: str, body: Object) -> None:
        if (plural, namespace, body["metadata"]["name"]) in self.store.objects:
            self._refuse(409, "AlreadyExists", f"{plural} {body['metadata']['name']} already exists")
        else:
            self._answer(201, self.store.put(plural, body, namespace=namespace))

    def _one(self, plural: str, namespace: str, name: str, body: Object | None) -> None:
        found = self.store.objects.get((plural, namespace, name))
        if found is None and not (self.command == "PATCH" and "apply" in self.headers["Content-Type"]):
            self._refuse(404, "NotFound", f'{plural}.trainingrun.dev "{name}" not found')
        elif self.command == "PATCH":
            merged = _merged(found or {}, body)
            self._answer(200, self.store.put(plural, merged, namespace=namespace))
        elif self.command == "DELETE":
            self.store.remove(plural, name, namespace=namespace)
            self._answer(200, {"kind": "Status", "status": "Success"})
        else:
            self._answer(200, found or {})

    def _watch(self, plural: str, params: dict[str, str]) -> None:
        store, since = self.store, int(params["resourceVersion"])
        self._begin_stream()
        if since < store.forgotten:
            self._chunk({"type": "ERROR", "object": {"kind": "Status", "code": 410, "message": "too old resource version"}})
            self._end_stream()
            return
        cut, told = store.cut, since
        while True:

            def is_awaited(told: int = told) -> bool:
                return store.stopped or store.cut != cut or store.version > told

            with store.changed:
                store.changed.wait_for(is_awaited, timeout=float(params["timeoutSeconds"]))
                news = [event for event in store.events if event[0] > told]
                told, is_over = store.version, store.stopped or store.cut != cut
            for version, event, kind, found in news:
                if kind == plural and _matches(found, params):
                    self._chunk({"type": event, "object": {**found}})
                told = max(told, version)
            if is_over and store.forgotten > since:
                self._end_stream()
                return
            if is_over:
                self.close_connection = True
                self.wfile.write(b"40\r\n{cut")  # in the midst of a line
                return
            if not news:
                self._end_stream()
                return

    def _log(self, pod: str) -> None:
        lines = self.store.logs.get(pod, [])
        most = self.store.log_cuts.pop(pod, None)
        self._begin_stream()
        for line in lines[:most]:
            self._chunk_bytes(f"{line}\n".encode())
        if most is None:
            self._end_stream()
        else:
            self.close_connection = True

    def _begin_stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def _chunk(self, found: Object) -> None:
        self._chunk_bytes(json.dumps(found).encode() + b"\n")

    def _chunk_bytes(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def _end_stream(self) -> None:
        self.wfile.write(b"0\r\n\r\n")

    def _answer(self, code: int, found: Object) -> None:
        data = json.dumps(found).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _refuse(self, code: int, reason: str, message: str) -> None:
        self._answer(code, {"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message})


def _matches(found: Object, params: dict[str, str]) -> bool:
    labels = found["metadata"].get("labels", {})
    wanted = [pair.split("=", 1) for pair in params.get("labelSelector", "").replace("==", "=").split(",") if pair]
    named = params.get("fieldSelector", "").replace("==", "=").partition("metadata.name=")[2]
    return all(labels.get(name) == value for name, value in wanted) and named in ("", found["metadata"]["name"])


def _merged(found: Any, changes: Any) -> Any:
    """JSON merge patch."""
    if not isinstance(changes, dict):
        return changes
    base = dict(found) if isinstance(found, dict) else {}
    for name, value in changes.items():
        if value is None:
            base.pop(name, None)
        else:
            base[name] = _merged(base.get(name), value)
    return base


@contextmanager
def serving(folder: Path, *, user: Object | None = None) -> Iterator[tuple[Store, Path]]:
    """The store of a running API server, and a kubeconfig that leads to it, with the namespace `team`."""
    store = Store()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"store": store}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    kubeconfig = folder / "kubeconfig"
    context = {"cluster": "here", "user": "me", "namespace": "team"}
    config = {
        "current-context": "here",
        "clusters": [{"name": "here", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
        "contexts": [{"name": "here", "context": context}],
        "users": [{"name": "me", "user": user or {"token": "secret"}}],
    }
    kubeconfig.write_text(yaml.safe_dump(config))
    try:
        yield store, kubeconfig
    finally:
        with store.changed:
            store.stopped = True
            store.changed.notify_all()
        server.shutdown()
        thread.join()
        server.server_close()
