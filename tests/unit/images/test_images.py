"""Names of images follow from their contents, and the manifests name them."""

import re
from pathlib import Path

import pytest

import images
from images import ImageError
from images.recipe import RECIPES, ROOT, fingerprint


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


def test_the_trainers_and_the_operator_have_nothing_of_each_other() -> None:
    assert not [name for name in RECIPES["operator"].inputs if "trainer" in name]
    assert not [recipe for recipe in RECIPES.values() if recipe.name != "operator" and "operator/src" in recipe.inputs]


@pytest.mark.parametrize("name", RECIPES)
def test_what_the_dockerfile_copies_into_an_image_goes_into_its_tag(name: str) -> None:
    copied = copied_into(name)
    assert copied
    assert not [source for source in copied if not source.startswith(RECIPES[name].inputs)]


def copied_into(target: str) -> set[str]:
    """All files and folders of the repository that a target and what it is built from copy."""
    stages = {}
    for text in re.split(r"^FROM ", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)[1:]:
        parent, _, name = text.splitlines()[0].split()
        stages[name] = (parent, re.findall(r"^COPY (.+) \S+$", text, flags=re.MULTILINE))
    found, unseen = set(), [target]
    while unseen:
        parent, copies = stages.get(unseen.pop(), ("", []))
        unseen += [parent] if parent else []
        for copy in copies:
            if copy.startswith("--from="):
                unseen.append(copy.split()[0].removeprefix("--from="))
            else:
                found |= set(copy.split())
    return found


def test_rendering_names_the_images_and_none_for_accelerators_that_have_not_been_pushed() -> None:
    text = images.render(images.names(registry="registry.example", tag="1", accelerated=["trainer-gpu"]))
    assert "image: registry.example/trainingrun-operator:1" in text
    assert "value: registry.example/trainingrun-trainer:1" in text
    assert environment(text) >= {
        ("TRAINER_IMAGE", "registry.example/trainingrun-trainer:1"),
        ("TRAINER_IMAGE_GPU", "registry.example/trainingrun-trainer-gpu:1"),
        ("TRAINER_IMAGE_TPU", '""'),
    }
    assert ":latest" not in text


@pytest.mark.parametrize(("machine", "architecture"), [("x86_64", "amd64"), ("aarch64", "arm64"), ("riscv64", '""')])
def test_rendering_says_which_nodes_can_run_the_images(machine: str, architecture: str) -> None:
    text = images.render({"operator": "a:1", "trainer": "b:1"}, machine=machine)
    assert ("TRAINER_ARCHITECTURE", architecture) in environment(text)


def environment(text: str) -> set[tuple[str, str]]:
    return set(re.findall(r"- name: (\w+)\n +value: (\S+)", text))


def test_only_older_archives_of_the_same_image_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAININGRUN_CACHE", str(tmp_path))
    monkeypatch.setattr(images, "choose", lambda cache: FakeBuilder())
    archives = tmp_path / "images"
    archives.mkdir()
    for name in ("trainingrun-trainer-0123456789ab.tar", "trainingrun-trainer-tpu-0123456789ab.tar"):
        (archives / name).write_text("old")
    made = images.build("trainer").path
    assert sorted(path.name for path in archives.iterdir()) == sorted([made.name, "trainingrun-trainer-tpu-0123456789ab.tar"])


class FakeBuilder:
    """Builds nothing, and saves that."""

    def build(self, *, target: str, reference: str) -> None:
        pass

    def save(self, *, reference: str, archive: Path) -> None:
        archive.write_text("new")


def test_an_image_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ImageError, match="There is no image 'notebook'"):
        images.build("notebook")
