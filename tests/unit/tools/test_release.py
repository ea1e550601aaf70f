"""A release: its version, its changelog, its archives, checksums and signature. Stage `unit`; a second, no image is built."""

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from images.errors import ImageError
from images.released import digest, forget_comments
from tools.release import archives, build, checkout, notes, sums, versions
from tools.release.errors import ReleaseError

ROOT = Path(__file__).parent.parent.parent.parent
DISTRIBUTIONS = ("sdk", "operator", "trainer-image")


def git(folder: Path, *arguments: str) -> None:
    identity = {f"GIT_{who}_{what}": "x@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    dates = {"GIT_AUTHOR_DATE": "2026-11-30T10:00:00Z", "GIT_COMMITTER_DATE": "2026-11-30T10:00:00Z"}
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, env={**os.environ, **identity, **dates})


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One commit of what a release reads here."""
    folder = tmp_path / "repository"
    for name in ("pyproject.toml", "CHANGELOG.md", "changelog.d/README.md", str(versions.PLACE)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    (folder / "changelog.d" / "+webp.added.md").write_text("WebP images are read.\n")
    (folder / "changelog.d" / "+rates.breaking.md").write_text("Rates are numbers.\n")
    git(folder, "init", "--quiet")
    commit(folder)
    return folder


def commit(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "x")


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("1.9.0", "1.10.0"),
        ("1.2.9", "1.3.0"),
        ("1.9.9", "2.0.0"),
        ("1.2.0-alpha.2", "1.2.0-beta.1"),
        ("1.2.0-rc.9", "1.2.0-rc.10"),
        ("1.2.0-rc.1", "1.2.0"),
        ("1.2.0", "1.2.1-alpha.1"),
    ],
)
def test_versions_are_in_their_order(older: str, newer: str) -> None:
    assert versions.order(older) < versions.order(newer)


@pytest.mark.parametrize("text", ["v1.2.3", "1.2", "1.2.3.4", "01.2.3", "1.2.3-next", "1.2.3-rc1", "", "1.2.3\n", "latest"])
def test_what_is_no_version_is_refused_with_how_to_write_one(text: str) -> None:
    with pytest.raises(ReleaseError, match=r"is no version: write it as 1\.2\.3"):
        versions.order(text)


def test_every_distribution_takes_its_version_from_the_one_place() -> None:
    for name in DISTRIBUTIONS:
        text = (ROOT / name / "pyproject.toml").read_text()
        assert 'dynamic = ["version"]' in text
        assert str(versions.PLACE).removeprefix("sdk/") in text


def test_notes_collect_the_fragments_below_the_heading_of_the_version(repository: Path) -> None:
    notes.write(repository, version="0.2.0")
    text = (repository / "CHANGELOG.md").read_text()
    mine = text[text.index("## 0.2.0 (2026-11-30)") : text.index("## 0.1.0")]
    assert mine.index("To do when upgrading") < mine.index("- Rates are numbers.") < mine.index("- WebP images are read.")
    assert versions.current(repository) == "0.2.0"
    assert [path.name for path in (repository / "changelog.d").iterdir()] == ["README.md"]


@pytest.mark.parametrize("version", ["0.1.0", "0.0.9", "0.1.0-rc.1"])
def test_a_version_that_is_not_newer_changes_nothing(repository: Path, version: str) -> None:
    with pytest.raises(ReleaseError, match=r"is not newer than 0\.1\.0"):
        notes.write(repository, version=version)
    assert (repository / "changelog.d" / "+webp.added.md").exists()
    assert versions.current(repository) == "0.1.0"


@pytest.mark.parametrize("change", ["changed", "added"])
def test_only_a_commit_is_released(repository: Path, change: str) -> None:
    name = {"changed": "CHANGELOG.md", "added": "left.txt"}[change]
    (repository / name).write_text("x")
    with pytest.raises(ReleaseError, match=name):
        build.build(repository, wanted(), target=repository.parent / "release")


def test_a_version_that_the_commit_does_not_have_is_refused(repository: Path) -> None:
    with pytest.raises(ReleaseError, match=r"of version 0\.1\.0, and 0\.2\.0 is to be released: make release-notes"):
        build.build(repository, wanted("0.2.0"), target=repository.parent / "release")


def test_nothing_is_overwritten(repository: Path) -> None:
    with pytest.raises(ReleaseError, match="is there already"):
        build.build(repository, wanted(), target=repository)


def wanted(version: str = "0.1.0") -> build.Wanted:
    return build.Wanted(version, registry="registry.example/team/", source="", images=["operator"])


def test_a_reference_has_the_version_for_people_and_the_digest_for_machines() -> None:
    assert wanted().reference("operator", "sha256:ab") == "registry.example/team/trainingrun-operator:0.1.0@sha256:ab"


def test_a_commit_has_a_time(repository: Path) -> None:
    assert checkout.commit(repository).epoch == 1796032800


@pytest.mark.parametrize("compressed", [False, True])
def test_an_archive_depends_on_names_and_contents_only(tmp_path: Path, compressed: bool) -> None:
    packed = []
    for number, names in enumerate((["b", "a/c", "a/b"], ["a/b", "b", "a/c"])):
        folder = tmp_path / str(number)
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(name)
            os.utime(folder / name, (number, number))
            (folder / name).chmod(0o600 if number else 0o664)
        archives.pack(folder, tmp_path / f"{number}.tar", epoch=5, below="x", compressed=compressed)
        packed.append((tmp_path / f"{number}.tar").read_bytes())
    assert packed[0] == packed[1]
    subprocess.run(["tar", "-xf", tmp_path / "0.tar", "-C", tmp_path], check=True)
    assert (tmp_path / "x" / "a" / "c").read_text() == "a/c"


def test_sums_are_those_that_sha256sum_checks(tmp_path: Path) -> None:
    for name in ("b", "a b"):
        (tmp_path / name).write_text(name)
    sums.write(tmp_path)
    check = ["sha256sum", "--check", "--strict", sums.NAME]
    subprocess.run(check, cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "a b").write_text("else")
    assert subprocess.run(check, cwd=tmp_path, check=False, capture_output=True).returncode == 1


def test_a_signature_is_made_by_the_command_that_is_given(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    listed = sums.write(tmp_path)
    sums.sign(listed, command=f"cp {tmp_path}/a")
    assert listed.read_text() == "a"
    with pytest.raises(ReleaseError, match="ended with code 1: nothing is signed"):
        sums.sign(listed, command="false")
    with pytest.raises(ReleaseError, match="no-such-program, which is not installed"):
        sums.sign(listed, command="no-such-program --key x")


@pytest.mark.parametrize("manifests", ["[]", '[{"digest": "sha256:a"}, {"digest": "sha256:b"}]'])
def test_a_layout_has_one_image(tmp_path: Path, manifests: str) -> None:
    (tmp_path / "index.json").write_text(f'{{"manifests": {manifests}}}')
    with pytest.raises(ImageError, match="instead of one"):
        digest(tmp_path)


def blob(layout: Path, content: object) -> dict[str, object]:
    data = json.dumps(content).encode()
    name = hashlib.sha256(data).hexdigest()
    (layout / "blobs" / "sha256" / name).write_bytes(data)
    return {"digest": f"sha256:{name}", "size": len(data)}


def a_layout(folder: Path, *, comment: str) -> Path:
    (folder / "blobs" / "sha256").mkdir(parents=True)
    config = blob(folder, {"os": "linux", "history": [{"created_by": "COPY", "comment": comment}, {"created_by": "RUN"}]})
    manifest = blob(folder, {"config": config, "layers": []})
    (folder / "index.json").write_text(json.dumps({"manifests": [manifest]}))
    return folder


def test_an_image_is_called_the_same_whatever_its_builder_has_called_the_layers_below(tmp_path: Path) -> None:
    layouts = [a_layout(tmp_path / drawn, comment=f"FROM {drawn}") for drawn in ("2f289bb9", "60b1bc2a")]
    assert len({digest(layout) for layout in layouts}) == 2
    for layout in layouts:
        forget_comments(layout)
        for path in (layout / "blobs" / "sha256").iterdir():
            assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name
    assert len({digest(layout) for layout in layouts}) == 1
