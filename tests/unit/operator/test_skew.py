"""A CRD that is older than the operator: what it does not know of the status is left out, and all else is written."""

import asyncio
import json
from collections.abc import Awaitable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from trainingrun.api import ObjectMeta
from trainingrun_operator.cluster.kube import KubeCluster
from trainingrun_operator.cluster.port import BusyError
from trainingrun_operator.cluster.skew import KnownFields, undeclared_fields
from trainingrun_operator.metrics import Metrics
from trainingrun_operator.pace import Timing

SAID = "failed to create typed patch object (team/mnist; trainingrun.dev/v1alpha1, Kind=TrainingRun): "
RUN = ObjectMeta(name="mnist", namespace="team", uid="uid", resource_version="7")


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        (f"{SAID}.status.trainer: field not declared in schema", (("trainer",),)),
        (f"{SAID}.status.ledger.newSeconds: field not declared in schema", (("ledger", "newSeconds"),)),
        (
            f"{SAID}errors:\n  .status.a: field not declared in schema\n  .status.b: field not declared in schema",
            (("a",), ("b",)),
        ),
        (f'{SAID}.status.conditions[type="Ready"].kind: field not declared in schema', (("conditions", "kind"),)),
        ("etcdserver: request timed out", ()),
    ],
    ids=["a field", "a field of a block", "several", "a field of items", "something else"],
)
def test_the_fields_are_those_that_the_api_server_names(message: str, fields: tuple[tuple[str, ...], ...]) -> None:
    assert undeclared_fields(message) == fields


def test_what_is_missing_is_left_out_and_tried_again_after_a_while() -> None:
    now = [0.0]
    fields = KnownFields(clock=lambda: now[0])
    status = {"stage": "Training", "ledger": {"new": 1, "old": 2}, "history": [{"new": 1}, {"attempt": 2}]}
    assert fields.learn([("ledger", "new"), ("history", "new")])
    assert not fields.learn([("ledger", "new")])
    assert fields.known(status) == {"stage": "Training", "ledger": {"old": 2}, "history": [{}, {"attempt": 2}]}
    now[0] = 61
    assert fields.known(status) == status


@dataclass
class OldServer:
    """Refuses a status with fields that its CRD has not, one at a time."""

    lacks: tuple[str, ...]
    names: str | None = None
    """A field that it names instead, which is not the one."""
    written: list[dict[str, Any]] = field(default_factory=list)

    def cluster(self) -> KubeCluster:
        api: Any = SimpleNamespace(call_api=self._call, param_serialize=self._serialize)
        return KubeCluster(api, metrics=Metrics(), timing=Timing())

    def _serialize(self, verb: str, path: str, *, body: str, **_: Any) -> Awaitable[Any]:
        return _now((json.loads(body)["status"],))

    async def _call(self, status: dict[str, Any], **_: Any) -> Any:
        self.written.append(status)
        missing = next((name for name in self.lacks if name in status), None)
        message = f"{SAID}.status.{self.names or missing}: field not declared in schema"
        content = json.dumps({"message": message if missing else ""}).encode()
        answer = SimpleNamespace(status=500 if missing else 200, headers={}, read=lambda: _now(content))
        return SimpleNamespace(response=answer)


def _now(value: Any) -> Awaitable[Any]:
    answer = asyncio.get_running_loop().create_future()
    answer.set_result(value)
    return answer


@pytest.mark.asyncio
async def test_a_status_is_written_without_what_the_crd_has_not() -> None:
    server = OldServer(lacks=("trainer", "cleanup"))
    cluster = server.cluster()
    status = {"stage": "Training", "trainer": {}, "cleanup": {}}
    await cluster.apply_status(RUN, status=status)
    assert [set(each) for each in server.written] == [{"stage", "trainer", "cleanup"}, {"stage", "cleanup"}, {"stage"}]
    await cluster.apply_status(RUN, status=status)
    assert len(server.written) == 4


@pytest.mark.asyncio
async def test_an_api_server_that_is_never_content_is_not_asked_for_ever() -> None:
    server = OldServer(lacks=("stage",), names="other")
    with pytest.raises(BusyError, match=r"status\.other"):
        await server.cluster().apply_status(RUN, status={"stage": "Training"})
    assert len(server.written) == 2
