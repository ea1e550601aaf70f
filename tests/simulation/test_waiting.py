"""How long a run waits, for what, and which of its clocks go meanwhile."""

from typing import Any

import pytest

from tests.presets import a_preset_manifest
from tests.simulation.world import World
from trainingrun_operator.model import Reference

TWO: dict[str, Any] = {"spec__workers": {"replicas": 2}}
PATIENCE = 600
"""spec.recovery.startTimeoutSeconds by default."""
FROM_S3: dict[str, Any] = {
    **TWO,
    "spec__data": {
        "source": {
            "uri": "s3://digits",
            "secretName": "bucket",
            "certificateAuthority": {"configMapKeyRef": {"name": "authority", "key": "ca.crt"}},
        },
        "format": "IDX",
    },
}


def a_preset_appears(world: World) -> None:
    world.presets["small"] = a_preset_manifest("small")


def a_claim_appears(world: World) -> None:
    world.claims["models"] = {"metadata": {"name": "models"}, "spec": {"accessModes": ["ReadWriteMany"]}}


def a_shareable_claim_appears_that_is_for_one_pod(world: World) -> None:
    world.claims["models"] = {"metadata": {"name": "models"}, "spec": {"accessModes": ["ReadWriteOncePod"]}}


def a_secret_appears(world: World) -> None:
    world.user_objects.add(Reference("Secret", "bucket"))


CHANGES: dict[str, tuple[dict[str, Any], Any, str, str]] = {
    "preset, then claim": ({**TWO, "spec__preset": "small"}, a_preset_appears, "PresetNotFound", "ClaimNotFound"),
    "claim, then Secret": (FROM_S3, a_claim_appears, "ClaimNotFound", "SecretNotFound"),
    "claim, then another kind": (TWO, a_shareable_claim_appears_that_is_for_one_pod, "ClaimNotFound", "ClaimNotShareable"),
    "claim, then another claim": (
        {
            "spec__workers": {
                "replicas": 2,
                "volumes": [{"name": "cache", "mountPath": "/cache", "persistentVolumeClaim": {"claimName": "cache"}}],
            }
        },
        a_claim_appears,
        "ClaimNotFound",
        "ClaimNotFound",
    ),
}


@pytest.mark.parametrize(("wanted", "appears", "first", "then"), CHANGES.values(), ids=CHANGES)
def test_a_wait_begins_anew_when_something_else_is_waited_for(
    world: World, wanted: dict[str, Any], appears: Any, first: str, then: str
) -> None:
    del world.claims["models"]
    world.apply(**wanted)
    world.settle()
    world.wait(PATIENCE - 1)
    assert (world.settle(), told(world)) == (1, ("Waiting", first))
    appears(world)
    world.wait(1)
    world.settle()
    assert told(world) == ("Waiting", then)
    world.wait(PATIENCE - 1)
    world.settle()
    assert told(world) == ("Waiting", then)
    writes = len(world.writes)
    world.settle()
    assert len(world.writes) == writes, "it waits without writing"
    world.wait(1)
    world.settle()
    assert told(world) == ("Stalled", then)


REFUSED: dict[str, tuple[Exception, str]] = {
    "quota": (ForbiddenError('403 jobs.batch "mnist-1" is forbidden: exceeded quota: team, used: jobs=1'), "Starting"),
    "policy": (ForbiddenError('403 admission webhook "v.kyverno" denied the request'), "Stalled"),
    "namespace that ends": (ForbiddenError("403 unable to create new content in namespace team"), "Stalled"),
    "kind that is not there": (NotFoundError("404 the server could not find the requested resource"), "Stalled"),
}


@pytest.mark.parametrize(("refused", "state"), REFUSED.values(), ids=REFUSED)
def test_a_refusal_is_said_to_be_one_that_nobody_mends_and_uses_up_no_deadline(
    world: World, refused: Exception, state: str
) -> None:
    deadline = 900
    world.refuse_all = refused
    world.apply(**TWO, spec__activeDeadlineSeconds=deadline)
    world.settle()
    assert told(world) == ("Starting", "Forbidden")
    for _ in range(3):
        world.wait(PATIENCE)
        world.settle()
    assert told(world) == (state, "Forbidden")
    writes = len(world.writes)
    world.settle()
    assert len(world.writes) == writes, "it waits without writing"
    world.refuse_all = None
    world.settle()
    world.kubelet()
    world.settle()
    assert (world.state(), world.run().status.waiting_since) == ("Running", None)
    world.wait(deadline - 1)
    world.settle()
    assert world.state() == "Running"
    world.wait(1)
    world.settle()
    assert world.state() == "Stopping", "the deadline counts from the moment that it may run"


def test_time_in_which_its_names_are_taken_uses_up_no_deadline(world: World) -> None:
    world.objects["Job", "mnist-1"] = {
        "kind": "Job",
        "metadata": {"name": "mnist-1", "uid": "theirs", "labels": {}},
        "spec": {},
    }
    world.apply(**TWO, spec__activeDeadlineSeconds=900)
    world.settle()
    world.wait(86_400)
    world.settle()
    assert told(world) == ("Stalled", "NameConflict")
    del world.objects["Job", "mnist-1"]
    world.settle()
    world.kubelet()
    world.settle()
    assert world.state() == "Running"


def told(world: World) -> tuple[str, str]:
    condition = world.run().status.condition("Stalled") or world.run().status.condition("Reconciling")
    assert condition is not None
    return world.state(), condition.reason
