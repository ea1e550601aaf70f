"""What else a tag follows from, and a manifest that does not name its image where it should."""

from pathlib import Path

import pytest

import images
from images import ImageError
from images.recipe import fingerprint


def test_a_script_that_was_made_executable_is_another_image(tmp_path: Path) -> None:
    script = tmp_path / "build.sh"
    script.write_text("true\n")
    script.chmod(0o644)
    first = fingerprint(("build.sh",), root=tmp_path)
    script.chmod(0o755)
    assert fingerprint(("build.sh",), root=tmp_path) != first


def test_a_file_that_was_renamed_or_moved_to_another_folder_is_another_image(tmp_path: Path) -> None:
    (tmp_path / "src" / "package").mkdir(parents=True)
    tags = set()
    before = tmp_path / "src" / "a.py"
    before.write_text("a = 1\n")
    for name in ("a.py", "b.py", "package/b.py"):
        before = before.rename(tmp_path / "src" / name)
        tags.add(fingerprint(("src",), root=tmp_path))
    assert len(tags) == 3


def test_manifests_that_name_an_image_in_another_way_are_not_rendered(tmp_path: Path) -> None:
    kubectl = tmp_path / "kubectl"
    kubectl.write_text("#!/bin/sh\necho 'image: another-name:latest'\n")
    kubectl.chmod(0o755)
    with pytest.raises(ImageError, match="has no place for the image operator"):
        images.render(images.names(registry="registry.example", tag="1"), kubectl=str(kubectl))
