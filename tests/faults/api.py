"""The API server as the tests themselves talk to it: as its administrator, asynchronously, in plain dictionaries."""

import base64
import json
import ssl
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from tests.patience import patience
from tools.kubectl import Kubectl

Object = dict[str, Any]

PRESETS = "apis/trainingrun.dev/v1alpha1/trainingpresets"
RUNS = "apis/trainingrun.dev/v1alpha1/namespaces/{}/trainingruns"


@dataclass(frozen=True)
class Endpoint:
    """Where the API server is, and how to know it and be known to it."""

    server: str
    authority: str
    """Its certificate authority, as PEM."""
    certificate: bytes
    """The administrator's certificate and key, as PEM; empty for one who has a token."""
    token: str

    @classmethod
    def of(cls, admin: Kubectl) -> "Endpoint":
        """What the administrator's kubeconfig says."""
        config = json.loads(admin.run("config", "view", "--raw", "--minify", "--flatten", "-o", "json"))
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        pair = [base64.b64decode(user.get(f"client-{part}-data", "")) for part in ("certificate", "key")]
        return cls(
            server=cluster["server"],
            authority=base64.b64decode(cluster["certificate-authority-data"]).decode(),
            certificate=b"".join(pair),
            token=user.get("token", ""),
        )

    @asynccontextmanager
    async def session(self, *, token: str | None = None) -> AsyncIterator[aiohttp.ClientSession]:
        """Connections as the bearer of the token; without one, as the administrator."""
        context = self.context(anonymous=token is not None)
        bearer = token or self.token
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        connector = aiohttp.TCPConnector(ssl=context, limit=0)
        timeout = aiohttp.ClientTimeout(total=None, connect=patience(10))
        async with aiohttp.ClientSession(
            self.server, connector=connector, timeout=timeout, headers=headers, auto_decompress=False
        ) as session:
            yield session

    def context(self, *, anonymous: bool = False) -> ssl.SSLContext:
        """Trust in this API server only, and what it knows the administrator by."""
        context = ssl.create_default_context(cadata=self.authority)
        if self.certificate and not anonymous:
            with tempfile.NamedTemporaryFile() as pair:
                pair.write(self.certificate)
                pair.flush()
                context.load_cert_chain(pair.name)
        return context


@dataclass(frozen=True)
class Api:
    """The few requests that a test makes. One that is refused fails the test with the API server's words."""

    session: aiohttp.ClientSession

    async def get(self, path: str) -> Object | None:
        """The object or list at this path, or None."""
        async with self.session.get(f"/{path}") as reply:
            if reply.status == 404:
                return None
            return await _parsed(reply)

    async def list(self, path: str, *, selector: str = "") -> list[Object]:
        """Items of a list, by label selector."""
        async with self.session.get(f"/{path}", params={"labelSelector": selector} if selector else {}) as reply:
            items: list[Object] = (await _parsed(reply))["items"]
            return items

    async def changes(self, path: str) -> AsyncIterator[None]:
        """Yields whenever something in the list at this path has changed, until the API server ends the stream."""
        async with self.session.get(f"/{path}", params={"watch": "true"}) as reply:
            async for _ in reply.content.iter_any():
                yield

    async def create(self, path: str, manifest: Object) -> Object:
        """Create an object."""
        async with self.session.post(f"/{path}", json=manifest) as reply:
            return await _parsed(reply)

    async def merge(self, path: str, patch: Object) -> Object:
        """JSON merge patch of an object."""
        headers = {"Content-Type": "application/merge-patch+json"}
        async with self.session.patch(f"/{path}", data=json.dumps(patch), headers=headers) as reply:
            return await _parsed(reply)

    async def delete(self, path: str) -> None:
        """Delete an object, its dependents after it; a missing one is fine."""
        async with self.session.delete(f"/{path}", json={"propagationPolicy": "Background"}) as reply:
            if reply.status != 404:
                await _parsed(reply)


async def _parsed(reply: aiohttp.ClientResponse) -> Object:
    body = await reply.read()
    if reply.status >= 300:
        raise AssertionError(f"{reply.method} {reply.url.path}: {reply.status} {body.decode()[:500]}")
    parsed: Object = json.loads(body)
    return parsed
