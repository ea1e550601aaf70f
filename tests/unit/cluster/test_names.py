"""Names that must be told apart, or be the same: interfaces, images, built programs."""

from pathlib import Path

import pytest

from cluster import binaries
from cluster.binaries import GoModule, ensure_extra
from cluster.images import reference_of, single_program_image
from cluster.layout import free_link, layout


def test_clusters_whose_names_begin_alike_have_interfaces_of_their_own() -> None:
    names = ("trainingrun-test-one", "trainingrun-test-two")
    made = {layout(name, cache=Path("/c"), link=free_link(name, used=())).host_interface for name in names}
    assert len(made) == 2


def test_a_registry_is_known_by_its_port_alone(tmp_path: Path) -> None:
    (tmp_path / "pause").write_bytes(b"program")
    (tmp_path / "pause.tar").write_bytes(single_program_image(tmp_path / "pause", reference="registry:5000/pause:1"))
    assert reference_of(tmp_path / "pause.tar") == "registry:5000/pause:1"


@pytest.mark.parametrize("changed", ["flags", "packages", "Go", "nothing"])
def test_a_program_is_built_anew_when_what_it_is_built_with_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    built: list[str] = []

    def build(module: GoModule, *, into: Path) -> None:
        into.mkdir(parents=True)
        built.append(into.name)

    monkeypatch.setattr(binaries, "_go_version", lambda: "go1.26")
    monkeypatch.setattr(binaries, "_build", build)
    source, cache = tmp_path / "source", tmp_path / "cache"
    source.mkdir()
    (source / "go.mod").write_text("module hello\n")
    ensure_extra(GoModule("hello", ("hello",), ("-trimpath",), source=source), cache=cache)
    if changed == "Go":
        monkeypatch.setattr(binaries, "_go_version", lambda: "go1.27")
    packages = ("hello", "more") if changed == "packages" else ("hello",)
    flags = ("-trimpath", "-race") if changed == "flags" else ("-trimpath",)
    ensure_extra(GoModule("hello", packages, flags, source=source), cache=cache)
    assert len(built) == (1 if changed == "nothing" else 2)
