"""The campaign reaches every field: with the help of the rules' own words, each comes to be in a spec that is admitted."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, find, settings
from hypothesis.errors import NoSuchExample

from tests.crd.admission import Crd, RefusedError
from tests.crd.cel import Path
from tests.crd.mending import changed
from tests.crd.values import Change, Place
from tests.manifests import a_manifest
from tests.simulation.campaign.cluster import PRESETS, RUNS
from tests.simulation.campaign.one_run import ROOT
from tests.simulation.campaign.users import PRESET_ROOT

_UNLIKELY = "which values there may be depends on the name, by a dozen rules; the operator hands them on as they are"
NEVER = {
    "spec.tuning.parameters.[].categorical": _UNLIKELY,
    "spec.tuning.parameters.[].categorical.[]": _UNLIKELY,
}
"""Fields that are not reached within the tries of this test, and why."""
TRIES = settings(
    max_examples=100, derandomize=True, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)


def places(root: Place) -> dict[str, Place]:
    return {".".join(place.path): place for place in root.fields["spec"].all() if len(place.path) > 1}


def paths_in(value: Any, path: Path) -> Iterator[Path]:
    yield path
    if isinstance(value, dict):
        for name, item in value.items():
            yield from paths_in(item, (*path, name))
    if isinstance(value, list):
        for item in value:
            yield from paths_in(item, (*path, "[]"))


def is_reached(crd: Crd, root: Place, manifest: dict[str, Any], place: Place) -> bool:
    """Whether a value of this place, or of the list that it is in, is generated, admitted and there."""
    where = place.path[: place.path.index("[]")] if "[]" in place.path else place.path
    whole = root.at(where)
    assert whole is not None

    def is_there(value: Any) -> bool:
        if place.path not in set(paths_in(value, where)):
            return False
        made = changed(crd, root, manifest, [Change(where, value)])
        try:
            crd.admit(made)
        except RefusedError:
            return False
        return place.path in set(paths_in(made, ()))

    try:
        find(whole.values, is_there, settings=TRIES)
    except NoSuchExample:
        return False
    return True


@pytest.mark.long
@pytest.mark.parametrize("block", sorted(ROOT.fields["spec"].fields))
def test_every_field_of_a_run_is_generated_and_admitted(block: str) -> None:
    ours = {name: place for name, place in places(ROOT).items() if place.path[1] == block}
    missed = {name for name, place in ours.items() if not is_reached(RUNS, ROOT, a_manifest(), place)}
    assert missed == {name for name in NEVER if name in ours}


@pytest.mark.long
def test_every_field_of_a_preset_is_generated_and_admitted() -> None:
    nothing = {"metadata": {"name": "x"}, "spec": {}}
    assert not {name for name, place in places(PRESET_ROOT).items() if not is_reached(PRESETS, PRESET_ROOT, nothing, place)}


@pytest.mark.parametrize("root", [ROOT, PRESET_ROOT], ids=["run", "preset"])
def test_every_field_is_generated(root: Place) -> None:
    made = {name for name, place in places(root).items() if find(place.values, lambda _: True, settings=TRIES) is not None}
    assert made == places(root).keys()


@pytest.mark.parametrize("path", ["spec.workers.replicas", "spec.tuning.parameters.[].int.step", "spec.data.source.uri"])
def test_the_fields_are_those_of_the_schema(path: str) -> None:
    assert path in places(ROOT)
