"""Names of images follow from their contents, and the manifests name them."""

from pathlib import Path

import pytest

import images
from images import ImageError
from images.recipe import RECIPES, fingerprint


def some_files(root: Path) -> None:
    (root / "src").mkdir()
    (root / "src" / "a.py").write_text("a = 1")
    (root / "Dockerfile").write_text("FROM scratch")


def test_a_tag_stays_as_long_as_the_contents_do(tmp_path: Path) -> None:
    some_files(tmp_path)
    first = fingerprint(("Dockerfile", "src"), root=tmp_path)
    assert fingerprint(("Dockerfile", "src"), root=tmp_path) == first
    (tmp_path / "src" / "a.py").write_text("a = 2")
    assert fingerprint(("Dockerfile", "src"), root=tmp_path) != first


def test_bytecode_does_not_change_a_tag(tmp_path: Path) -> None:
    some_files(tmp_path)
    first = fingerprint(("src",), root=tmp_path)
    (tmp_path / "src" / "__pycache__").mkdir()
    (tmp_path / "src" / "__pycache__" / "a.pyc").write_bytes(b"x")
    assert fingerprint(("src",), root=tmp_path) == first


def test_the_trainer_and_the_operator_have_nothing_of_each_other() -> None:
    assert not [name for name in RECIPES["operator"].inputs if "trainer" in name]
    assert not [name for name in RECIPES["trainer"].inputs if name.startswith("operator")]


def test_rendering_replaces_both_images() -> None:
    text = images.render(operator="registry.example/o:1", trainer="registry.example/t:1")
    assert "image: registry.example/o:1" in text
    assert "value: registry.example/t:1" in text
    assert ":latest" not in text


def test_an_image_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ImageError, match="There is no image 'notebook'"):
        images.build("notebook")
