"""Names of images follow from their contents, and the manifests name them."""

import re
from pathlib import Path

import pytest

import images
from images import ImageError
from images.recipe import RECIPES, ROOT, fingerprint
from images.render import overlay


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


DIGEST = "sha256:" + "0" * 64
NAMED = {
    "by tag": ("registry.example:5000/team/op:1", {"newName": "registry.example:5000/team/op", "newTag": "1"}),
    "by digest": (f"registry.example/op:1@{DIGEST}", {"newName": "registry.example/op", "digest": DIGEST}),
    "without a registry": ("op:1", {"newName": "op", "newTag": "1"}),
}


@pytest.mark.parametrize(("reference", "changed"), NAMED.values(), ids=NAMED)
def test_an_image_takes_the_place_of_the_one_that_the_manifests_name(reference: str, changed: dict[str, str]) -> None:
    assert overlay({"operator": reference}, settings={})["images"] == [{"name": "trainingrun-operator", **changed}]


def test_images_for_accelerators_that_have_been_pushed_are_settings() -> None:
    made = overlay(images.names(registry="registry.example", tag="1", accelerated=["trainer-gpu"]), settings={"PORT": "1"})
    assert {image["name"] for image in made["images"]} == {"trainingrun-operator", "trainingrun-trainer"}
    (settings,) = made["configMapGenerator"]
    assert {"TRAINER_IMAGE_GPU=registry.example/trainingrun-trainer-gpu:1", "PORT=1"} <= set(settings["literals"])
    assert not [literal for literal in settings["literals"] if literal.startswith("TRAINER_IMAGE_TPU")]


@pytest.mark.parametrize(("machine", "said"), [("x86_64", ["amd64"]), ("aarch64", ["arm64"]), ("riscv64", [])])
def test_rendering_says_which_nodes_can_run_the_images(machine: str, said: list[str]) -> None:
    (settings,) = overlay({}, settings={}, machine=machine)["configMapGenerator"]
    assert settings["literals"] == [f"TRAINER_ARCHITECTURE={each}" for each in said]


def test_without_kubectl_a_sentence_says_so() -> None:
    with pytest.raises(ImageError, match=r"There is no kubectl-that-is-missing, .* install it, or add it to PATH\."):
        images.render({}, kubectl="kubectl-that-is-missing")


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
