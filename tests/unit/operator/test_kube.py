"""What the operator sends to the API server, and what it makes of answers that are none."""

import asyncio
import json
from collections.abc import Awaitable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from trainingrun.api import ObjectMeta
from trainingrun_operator.cluster.kube import KubeCluster
from trainingrun_operator.cluster.port import CHILD_KINDS, BusyError, ConflictError, ForbiddenError
from trainingrun_operator.decision import Deletion
from trainingrun_operator.metrics import Metrics
from trainingrun_operator.pace import Timing

pytestmark = pytest.mark.asyncio


def _now(value: Any) -> Awaitable[Any]:
    """What a coroutine would return that has nothing to wait for."""
    answer = asyncio.get_running_loop().create_future()
    answer.set_result(value)
    return answer


@dataclass
class Server:
    """Answers everything in the same way."""

    content: bytes = b"{}"
    status: int = 200
    refuses: dict[str, int] = field(default_factory=dict)
    """Codes by the last word of the path."""
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    sent: list[Any] = field(default_factory=list)

    def cluster(self, *, may_write: bool = True, pod_groups: str | None = None) -> KubeCluster:
        api: Any = SimpleNamespace(call_api=self._call, param_serialize=self._serialize)
        return KubeCluster(api, metrics=Metrics(), timing=Timing(), pod_groups=pod_groups, may_write=lambda: may_write)

    def _serialize(self, verb: str, path: str, *, query_params: list[tuple[str, str]], **more: Any) -> Awaitable[Any]:
        self.asked.append((verb, path, dict(query_params)))
        self.sent.append(more["body"])
        return _now((path,))

    async def _call(self, *request: Any, **_: Any) -> Any:
        status = self.refuses.get(request[0].rpartition("/")[2], self.status)
        content = self.content if status == self.status else b'{"message": "refused"}'
        return SimpleNamespace(response=SimpleNamespace(status=status, headers={}, read=lambda: _now(content)))


async def test_who_does_not_lead_any_more_reads_and_changes_nothing() -> None:
    server = Server()
    cluster = server.cluster(may_write=False)
    manifest = {"kind": "Job", "metadata": {"name": "mnist-1", "namespace": "team"}}
    with pytest.raises(BusyError, match="does not lead any more"):
        await cluster.create(manifest)
    with pytest.raises(BusyError, match="does not lead any more"):
        await cluster.delete("team", Deletion("Job", "mnist-1", "uid"))
    assert server.asked == []
    await cluster.list_pods("team", "mnist")
    assert [verb for verb, _, _ in server.asked] == ["GET"]


@pytest.mark.parametrize(
    "content", [b"<html>Bad gateway</html>", b"[]", b"\xff\xfe", b""], ids=["html", "list", "bytes", "nothing"]
)
async def test_an_answer_of_a_proxy_is_tried_again_and_ends_nothing(content: bytes) -> None:
    with pytest.raises(BusyError, match="no object"):
        await Server(content).cluster().list_runs(None)


async def test_events_are_asked_for_by_object_and_not_all_of_them() -> None:
    server = Server()
    await server.cluster().list_events("team", "uid-1")
    ((verb, path, query),) = server.asked
    assert (verb, path) == ("GET", "/api/v1/namespaces/team/events")
    assert query["fieldSelector"] == "involvedObject.uid=uid-1"
    assert int(query["limit"]) <= 100


async def test_without_permission_there_are_no_events() -> None:
    server = Server(b'{"message": "events is forbidden"}', status=403)
    assert not await server.cluster().list_events("team", "uid-1")


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("a smile \U0001f600", "a smile \U0001f600"),
        (
            "a mark \ufeff, an end \u2028, a control \x85, no character \uffff",
            "a mark \\ufeff, an end \\u2028, a control \\u0085",
        ),
        ("\\ud83d\\ude00 by its letters, and \u00e9", "\\\\ud83d\\\\ude00 by its letters, and \u00e9"),
    ],
)
async def test_a_status_is_sent_so_that_it_is_json_and_yaml(text: str, sent: str) -> None:
    server = Server()
    run = ObjectMeta(name="mnist", namespace="team", uid="uid", resource_version="1")
    await server.cluster().apply_status(run, status={"failure": {"message": text}})
    (body,) = server.sent
    assert sent in body
    assert json.loads(body)["status"]["failure"]["message"] == text
    assert yaml.safe_load(body)["status"]["failure"]["message"] == text
    body.encode()


@pytest.mark.parametrize("status", [403, 404], ids=["not allowed", "not installed"])
async def test_pod_groups_that_may_not_be_listed_are_left_out(status: int) -> None:
    """Only runs that need one are concerned, and learn of it when it is made."""
    server = Server(b'{"items": [{"metadata": {"name": "mnist-1"}}]}', refuses={"podgroups": status})
    cluster = server.cluster(pod_groups="scheduling.volcano.sh/v1beta1")
    assert [child["kind"] for child in await cluster.list_children("team", "mnist")] == list(CHILD_KINDS)


@pytest.mark.parametrize("plural", ["services", "configmaps", "networkpolicies", "jobs"])
async def test_children_that_may_not_be_listed_are_not_taken_for_missing(plural: str) -> None:
    with pytest.raises(ForbiddenError, match=plural):
        await Server(b'{"items": []}', refuses={plural: 403}).cluster().list_children("team", "mnist")


async def test_what_is_gone_is_deleted_and_what_has_changed_is_looked_at_again() -> None:
    gone = Deletion("Service", "mnist-1", "uid")
    await Server(status=404).cluster().delete("team", gone)
    with pytest.raises(ConflictError):
        await Server(status=409).cluster().delete("team", gone)
