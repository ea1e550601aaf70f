"""Which changes of a run make Argo CD look at its whole application again."""

import copy
from typing import Any

import pytest

from tests.gitops.judges import Judges
from tests.gitops.lives import recordings

RECORDED = recordings()["good-training"]
LOOKS_AT_STATUS = {"resource.compareoptions": "ignoreDifferencesOnResourceUpdates: false"}
"""By default Argo CD looks at no status. These settings, which some have, make it look."""


def is_watched(judges: Judges, *path: str, settings: dict[str, str]) -> bool:
    """Whether a change of this field counts."""
    changed = copy.deepcopy(RECORDED)
    parent: dict[str, Any] = changed
    for part in path[:-1]:
        parent = parent[part]
    parent[path[-1]] = [] if isinstance(parent.get(path[-1]), list) else {"changed": True}
    found = judges.judge({"before": RECORDED, "after": changed}, **settings)
    return found["before"].watched != found["after"].watched


@pytest.mark.parametrize("settings", [{}, LOOKS_AT_STATUS], ids=["default", "looks at status"])
@pytest.mark.parametrize("field", ["progress", "columns", "checkpoint", "timeline", "clock", "tuning", "ledger"])
def test_a_change_of_a_live_field_does_not(judges: Judges, field: str, settings: dict[str, str]) -> None:
    assert not is_watched(judges, "status", field, settings=settings)


@pytest.mark.parametrize("field", ["conditions", "stage", "attempt", "result", "failure"])
def test_a_change_of_life_does_when_argo_cd_looks_at_status(judges: Judges, field: str) -> None:
    assert is_watched(judges, "status", field, settings=LOOKS_AT_STATUS)


def test_a_change_of_the_spec_does(judges: Judges) -> None:
    assert is_watched(judges, "spec", "training", settings={})
