"""What is built before a cluster starts: what is missing, and nothing when all is there."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from cluster.embedded import EmbeddedCluster
from cluster.existing import ExistingCluster
from images import apt
from tests.gangs.schedulers import COSCHEDULING, VOLCANO
from tests.policies import enforcer
from tests.prepare import PROGRAMS
from tools import prepare
from tools.parts import Part

TESTS = Path(__file__).parent.parent.parent


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The names of the parts of each lane that would run; all is there."""
    lanes: list[list[str]] = []

    def note(*parts: Sequence[Part]) -> None:
        lanes.extend([part.name for part in lane] for lane in parts)

    monkeypatch.setattr(prepare, "side_by_side", note)
    monkeypatch.setattr(EmbeddedCluster, "check_rights", lambda _: None)
    monkeypatch.setattr(apt, "missing", lambda _: [])
    monkeypatch.setattr("images.is_built", lambda _: True)
    monkeypatch.setattr("cluster.binaries.is_built", lambda *_, **__: True)
    return lanes


def embedded(folder: Path) -> EmbeddedCluster:
    return EmbeddedCluster(name="demo", cache=folder)


def test_nothing_is_made_and_said_when_all_is_there(
    tmp_path: Path, made: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    prepare.prepare(embedded(tmp_path), with_images=True)
    assert made == [[], []]
    assert capsys.readouterr().out == ""


def test_programs_are_built_beside_packages_and_images(
    tmp_path: Path, made: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apt, "missing", list)
    monkeypatch.setattr("images.is_built", lambda _: False)
    monkeypatch.setattr("cluster.binaries.is_built", lambda *_, **__: False)
    prepare.prepare(embedded(tmp_path), with_images=True)
    assert made == [["Kubernetes"], ["Debian packages", "operator image", "trainer image"]]


def test_images_that_were_pushed_and_clusters_that_exist_need_nothing(
    made: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("images.is_built", lambda _: False)
    monkeypatch.setattr("cluster.binaries.is_built", lambda *_, **__: False)
    prepare.prepare(ExistingCluster(), with_images=False)
    assert made == [[], []]


def test_what_will_be_made_is_said_with_the_time_that_it_took(tmp_path: Path) -> None:
    said = prepare.announcement([Part("Kubernetes", [], minutes=9), Part("trainer image", [], minutes=7)], logs=tmp_path)
    assert said.splitlines()[1:] == ["    Kubernetes                   9 min", "    trainer image                7 min"]


def test_everything_that_tests_build_from_source_is_made_first_but_what_only_long_ones_need() -> None:
    made = {module.folder for module in (*PROGRAMS, COSCHEDULING.module, VOLCANO.module, enforcer.MODULE)}
    assert {file.parent for file in TESTS.rglob("go.mod")} <= made
