"""The few requests that the cluster tool itself makes to the API server."""

import base64
import json
import ssl
import tempfile
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Object = dict[str, Any]


@dataclass(frozen=True)
class Api:
    """A minimal client that authenticates with the certificates of a kubeconfig made by this package."""

    server: str
    context: ssl.SSLContext

    @classmethod
    def connect(cls, kubeconfig: Path) -> "Api":
        """Read server and certificates from the kubeconfig."""
        config = json.loads(kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        context = ssl.create_default_context(cadata=authority)
        with tempfile.NamedTemporaryFile() as pair:
            for part in ("client-certificate-data", "client-key-data"):
                pair.write(base64.b64decode(user[part]))
            pair.flush()
            context.load_cert_chain(pair.name)
        return cls(server=cluster["server"], context=context)

    def get(self, path: str, *, timeout: float = 5) -> Object | None:
        """The object at this path, or None when there is none."""
        try:
            return self._request("GET", path, timeout=timeout)
        except urllib.error.HTTPError as refused:
            if refused.code == 404:
                return None
            raise

    def is_ready(self, *, timeout: float) -> bool:
        """Whether the API server answers within `timeout` seconds that it is ready."""
        try:
            with self._open("GET", "/readyz", None, timeout=timeout) as reply:
                return bool(reply.status == 200)
        except OSError:
            return False

    def apply(self, path: str, manifest: Object) -> Object:
        """Server-side apply of one object."""
        query = "?fieldManager=trainingrun-cluster&force=true"
        return self._request("PATCH", path + query, body=manifest, kind="application/apply-patch+yaml")

    def merge(self, path: str, patch: Object) -> Object:
        """JSON merge patch of one object."""
        return self._request("PATCH", path, body=patch, kind="application/merge-patch+json")

    def _request(self, verb: str, path: str, *, body: Object | None = None, kind: str = "", timeout: float = 10) -> Object:
        with self._open(verb, path, body, kind=kind, timeout=timeout) as reply:
            parsed: Object = json.loads(reply.read())
            return parsed

    def _open(self, verb: str, path: str, body: Object | None, *, kind: str = "", timeout: float) -> Any:
        request = urllib.request.Request(self.server + path, method=verb)
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", kind)
        # The API server is on a link of this machine: a proxy that the environment names must not see the request.
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=self.context))
        return direct.open(request, timeout=timeout)
