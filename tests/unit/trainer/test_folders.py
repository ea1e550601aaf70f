"""Folders as people have them: links, leftovers of other programs, what cannot be listed; all of it is followed or said."""

import errno
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from pydantic import ValidationError

from tests.unit.trainer.stages_alone import alone
from tests.unit.trainer.writing import CLAIM
from trainingrun.api import CSVFiles, ImageFolder
from trainingrun.api.base import to_wire
from trainingrun_trainer.data import folders
from trainingrun_trainer.data.class_folders import images_in
from trainingrun_trainer.data.files import Piece, matching_files, read_file, read_pieces
from trainingrun_trainer.data.left_out import OTHERS, LeftOut, Tally, added_up
from trainingrun_trainer.data.source import open_data
from trainingrun_trainer.errors import TrainerError
from trainingrun_trainer.messages import failure, parse
from trainingrun_trainer.patience import Patience
from trainingrun_trainer.storage import Folder, local_folder


def listed(source: Path | Folder, *, output: Path, within: str = "") -> tuple[list[tuple[str, str]], dict[str, int]]:
    """Classes and names of the images that one rank alone lists, and how much of which kind is left out."""
    folder = local_folder(source, patience=Patience(0.01)) if isinstance(source, Path) else source
    files, left = images_in(alone(output).context, folder, within, field="spec.data.imageFolder.folder")
    return [(file.class_name, file.name) for file in files], {each.kind: each.count for each in left}


def touched(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x" * len(name))
    return folder


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    return touched(tmp_path / "pets", "cat/1.jpg", "cat/2.png", "dog/1.jpg")


def a_class_that_is_a_link(pets: Path) -> list[str]:
    touched(pets.parent, "elsewhere/9.jpg")
    (pets / "bird").symlink_to(pets.parent / "elsewhere")
    return ["bird/9.jpg"]


def a_link_to_a_link(pets: Path) -> list[str]:
    touched(pets.parent, "elsewhere/9.jpg")
    (pets / "bird").symlink_to("../second")
    (pets.parent / "second").symlink_to("elsewhere")
    return ["bird/9.jpg"]


def a_folder_in_a_class(pets: Path) -> list[str]:
    touched(pets.parent, "elsewhere/deep/9.jpg")
    (pets / "cat" / "more").symlink_to(pets.parent / "elsewhere")
    return ["cat/more/deep/9.jpg"]


def images_that_are_links(pets: Path) -> list[str]:
    touched(pets.parent, "store/ab12")
    (pets / "dog" / "3.jpeg").symlink_to(pets.parent / "store" / "ab12")
    return ["dog/3.jpeg"]


@pytest.mark.parametrize(
    "link",
    [a_class_that_is_a_link, a_link_to_a_link, a_folder_in_a_class, images_that_are_links],
    ids=lambda link: link.__name__,
)
def test_links_are_followed(pets: Path, tmp_path: Path, link: Callable[[Path], list[str]]) -> None:
    more = link(pets)
    names, left = listed(pets, output=tmp_path)
    assert [name for _, name in names] == sorted(["cat/1.jpg", "cat/2.png", "dog/1.jpg", *more])
    assert left == {}


def test_a_link_has_the_size_of_what_it_leads_to(pets: Path, tmp_path: Path) -> None:
    touched(pets.parent, "store/a-long-name")
    (pets / "dog" / "3.jpg").symlink_to(pets.parent / "store" / "a-long-name")
    tally = Tally()
    sizes = dict(folders.files_below(local_folder(pets), "dog", field="f", tally=tally))
    assert sizes == {"dog/1.jpg": 9, "dog/3.jpg": 17}


WRONG_LINKS: dict[str, tuple[Callable[[Path], object], str]] = {
    "a class that leads nowhere": (
        lambda pets: (pets / "bird").symlink_to("../gone"),
        "bird in {pets} is a link to ../gone, which does not exist in this volume",
    ),
    "an image that leads nowhere": (
        lambda pets: (pets / "cat" / "9.jpg").symlink_to("/annex/9"),
        "cat/9.jpg in {pets} is a link to /annex/9, which does not exist",
    ),
    "a link to itself": (lambda pets: (pets / "cat" / "9").symlink_to("9"), "cat/9 cannot be read: Too many levels"),
    "a link to the class": (lambda pets: (pets / "cat" / "all").symlink_to("."), "cat/all in {pets} leads back to a folder"),
    "a link to the data": (lambda pets: (pets / "cat" / "all").symlink_to(".."), "cat/all in {pets} leads back to a folder"),
    "a link above the data": (
        lambda pets: (pets / "cat" / "all").symlink_to("../.."),
        "cat/all/pets in {pets} leads back to a folder",
    ),
}


@pytest.mark.parametrize(("link", "words"), WRONG_LINKS.values(), ids=WRONG_LINKS)
def test_links_that_cannot_be_followed_are_named(
    pets: Path, tmp_path: Path, link: Callable[[Path], object], words: str
) -> None:
    link(pets)
    with pytest.raises(TrainerError) as problem:
        listed(pets, output=tmp_path)
    assert words.format(pets=pets) in str(problem.value)
    assert problem.value.exit_code == 65


def test_a_file_that_is_named_and_leads_nowhere_is_a_link(tmp_path: Path) -> None:
    (tmp_path / "mnist.npz").symlink_to("gone.npz")
    with pytest.raises(TrainerError, match=r"mnist.npz in .* is a link to gone.npz, which does not exist"):
        open_data(
            alone(
                tmp_path, environment={"TRAININGRUN_DATA_MOUNT": str(tmp_path)}, data={"source": CLAIM, "format": "NPZ"}
            ).context
        )


LEFTOVERS = (
    *("lost+found", "__MACOSX", "@eaDir", "#recycle", "System Volume Information", "$RECYCLE.BIN", "#snapshot", "@Recycle"),
    *(".snapshot", ".ipynb_checkpoints", ".Trash-1000", ".zfs"),
)


@pytest.mark.parametrize("name", LEFTOVERS)
@pytest.mark.parametrize("within", ["", "cat/"], ids=["beside classes", "in a class"])
def test_folders_that_others_make_are_left_out_and_said(pets: Path, tmp_path: Path, name: str, within: str) -> None:
    touched(pets, f"{within}{name}/thumb.jpg")
    names, left = listed(pets, output=tmp_path)
    assert len(names) == 3
    assert left == {folders.HIDDEN_FOLDERS if name.startswith(".") else folders.SYSTEM: 1}


def test_a_folder_that_is_left_out_is_not_asked_for_what_it_holds(
    pets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (pets / "lost+found").mkdir()
    refusing(monkeypatch, at="lost+found", number=errno.EACCES)
    assert listed(pets, output=tmp_path)[1] == {folders.SYSTEM: 1}


def test_everything_that_is_left_out_is_counted_by_its_kind(pets: Path, tmp_path: Path) -> None:
    touched(pets, "README.md", ".DS_Store", "cat/Thumbs.db", "cat/a.tif", "cat/b.TIF", "cat/.1.jpg", "dog/notes")
    os.mkfifo(pets / "dog" / "pipe.jpg")
    names, left = listed(pets, output=tmp_path)
    assert len(names) == 3
    assert left == {
        "files beside the class folders": 1,
        "hidden files": 2,
        "files ending in .tif": 2,
        "files ending in .db": 1,
        "files without an ending": 1,
        "pipes, sockets or devices": 1,
    }


def test_kinds_are_added_up_with_the_most_first_and_their_number_is_bounded() -> None:
    ours = [LeftOut(f"kind {number}", number, (f"{number}.x",)) for number in range(1, 30)]
    found = added_up([ours, [LeftOut("kind 3", 100, ("0.x",)), LeftOut(OTHERS, 1, ())]])
    assert (found[0], len(found)) == (LeftOut("kind 3", 103, ("0.x", "3.x")), 21)
    assert (found[-1].kind, found[-1].count) == (OTHERS, 1 + sum([1, 2, *range(4, 11)]))


def test_the_classes_that_one_rank_of_many_lists_are_counted_once(pets: Path, tmp_path: Path) -> None:
    touched(pets, "README.md", "cat/a.txt", "dog/b.txt")

    class Pair:
        """Two ranks that list the same one after the other."""

        size = 2

        def __init__(self, rank: int) -> None:
            self.rank = rank

        def sum(self, values: Any) -> Any:
            return values

        def gather(self, values: Any) -> Any:
            return np.stack([values])

    def share(rank: int) -> Any:
        context = replace(alone(tmp_path).context, gang=Pair(rank))  # type: ignore[arg-type]  # it has what listing asks of a gang
        return images_in(context, local_folder(pets), "", field="f")

    (chief, left), (other, also) = share(0), share(1)
    assert [file.name for file in [*chief, *other]] == ["cat/1.jpg", "cat/2.png", "dog/1.jpg"]
    assert {each.kind: each.count for each in added_up([left, also])} == {
        "files ending in .txt": 2,
        "files beside the class folders": 1,
    }


def refusing(monkeypatch: pytest.MonkeyPatch, *, at: str, number: int) -> None:
    """The file system refuses to list a folder of this name."""
    real = os.scandir

    def scandir(path: Any) -> Any:
        if str(path).endswith(f"/{at}"):
            raise OSError(number, os.strerror(number), path)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EACCES, "cannot be read: Permission denied"),
        (errno.EIO, "could not be read for 0.01 s: Input/output"),
        (errno.ESTALE, "could not be read for 0.01 s: Stale"),
    ],
)
@pytest.mark.parametrize("at", ["cat", "cat/old", "pets"])
def test_what_cannot_be_listed_is_an_error_with_its_path(
    pets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str, number: int, words: str
) -> None:
    touched(pets, "cat/old/3.jpg")
    refusing(monkeypatch, at=at, number=number)
    with pytest.raises(TrainerError, match=rf"{at} {words}"):
        listed(pets, output=tmp_path)


BYTES = [b"c\xe2t/1.jpg", b"cat/\xe9t\xe9.jpg", b"cat/\xff/1.png"]


@pytest.mark.parametrize("name", BYTES, ids=["a class", "an image", "a folder"])
def test_names_that_are_no_text_are_named_by_their_bytes(pets: Path, tmp_path: Path, name: bytes) -> None:
    path = os.fsencode(pets) + b"/" + name
    os.makedirs(os.path.dirname(path), exist_ok=True)
    Path(os.fsdecode(path)).touch()
    with pytest.raises(TrainerError, match=r"The name .*\\x(e2|e9|ff).* is no text in UTF-8") as problem:
        listed(pets, output=tmp_path)
    told(str(problem.value))


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("\udce9t\udce9.jpg is gone", r"\xe9t\xe9.jpg is gone"),
        ("half a pair \ud83d of a word", r"half a pair \ud83d of a word"),
        ("plain ü and 😀", "plain ü and 😀"),
    ],
)
def test_whatever_a_rank_says_reaches_its_agent(text: str, read: str) -> None:
    assert told(text) == read


def told(text: str) -> str:
    """What an agent reads of it."""
    message = parse(json.dumps(to_wire(failure(exit_code=65, cause="BadData", text=text, hint=text))).encode())
    assert message is not None
    assert message.hint == message.text
    return message.text


@pytest.mark.parametrize(
    "parts", [("train", "val"), ("Training", "Testing"), ("test", "train", "valid")], ids=lambda parts: "+".join(parts)
)
def test_parts_of_a_data_set_are_no_classes(tmp_path: Path, parts: tuple[str, ...]) -> None:
    touched(tmp_path, *(f"{part}/cat/1.jpg" for part in parts))
    with pytest.raises(
        TrainerError, match=r"are parts of a data set and no classes. Set spec.data.imageFolder to {folder: [Tt]rain"
    ):
        listed(tmp_path, output=tmp_path)


def test_a_class_may_be_called_like_a_part(tmp_path: Path) -> None:
    touched(tmp_path, "train/1.jpg", "ship/1.jpg", "test/1.jpg")
    assert [name for name, _ in listed(tmp_path, output=tmp_path)[0]] == ["ship", "test", "train"]


def test_a_class_without_images_says_what_it_holds(pets: Path, tmp_path: Path) -> None:
    touched(pets, "bird/1.tif", "bird/2.tif", "bird/3")
    with pytest.raises(TrainerError) as problem:
        listed(pets, output=tmp_path)
    assert "The class folder bird in" in str(problem.value)
    assert "It holds 2 files ending in .tif (such as bird/1.tif, bird/2.tif); 1 files without an ending" in str(problem.value)


def test_validation_images_do_not_lie_among_the_classes(pets: Path, tmp_path: Path) -> None:
    touched(pets, "val/cat/1.jpg")
    data = {"source": CLAIM, "format": "ImageFolder", "imageFolder": {"validationFolder": "val"}}
    with pytest.raises(TrainerError, match=r"validationFolder val lies in spec\.data\.imageFolder\.folder"):
        open_data(alone(tmp_path, environment={"TRAININGRUN_DATA_MOUNT": str(pets)}, data=data).context)


@pytest.fixture
def store() -> Folder:
    """The same folders in an object store, where a name is all that there is of a folder."""
    files = MemoryFileSystem()
    files.store.clear()
    files.pseudo_dirs[:] = [""]
    names = ("cat/1.jpg", "cat/@eaDir/1.jpg", "cat/@eaDir/2.jpg", "cat/.hidden.jpg", "cat/a.txt", "dog/deep/1.webp")
    for name in (*names, "__MACOSX/cat/1.jpg", ".trash/1.jpg", "readme.md"):
        files.pipe_file(f"/pets/{name}", b"x")
    return Folder(files, "/pets")


def test_a_store_is_listed_by_the_same_rules(store: Folder, tmp_path: Path) -> None:
    names, left = listed(store, output=tmp_path)
    assert names == [("cat", "cat/1.jpg"), ("dog", "dog/deep/1.webp")]
    assert left == {
        folders.SYSTEM: 2,
        folders.HIDDEN_FOLDERS: 1,
        folders.HIDDEN_FILES: 1,
        "files ending in .txt": 1,
        "files beside the class folders": 1,
    }


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("feuille n° 1/März *.csv", ["feuille n° 1/März 1.csv", "feuille n° 1/März 2.csv"]),
        ("raw (copy)/[1] a?.csv", ["raw (copy)/[1] ab.csv"]),
        ("数据/*.csv", ["数据/a & b.csv"]),
        ("feuille n° 1/März 1.csv", ["feuille n° 1/März 1.csv"]),
    ],
)
def test_paths_are_those_that_file_systems_have(tmp_path: Path, pattern: str, names: list[str]) -> None:
    touched(tmp_path, "feuille n° 1/März 1.csv", "feuille n° 1/März 2.csv", "raw (copy)/[1] ab.csv", "raw (copy)/1 ab.csv")
    touched(tmp_path, "数据/a & b.csv")
    CSVFiles(files=pattern)
    folder = local_folder(tmp_path)
    assert matching_files(folder, pattern, field="spec.data.csv.files") == names
    assert [read_file(folder, name, field="f") for name in names] == [b"x" * len(name) for name in names]


@pytest.mark.parametrize("pattern", ["../a.csv", "a/../b", ".hidden/a", "a//b", "/a", "a\nb", "a\\b", "a?b=c/d", "a#b", "50%"])
def test_paths_that_lead_elsewhere_are_refused(pattern: str) -> None:
    with pytest.raises(ValidationError):
        ImageFolder(folder=pattern)


class Dribbling:
    """A file that answers with at most three bytes at once, as FUSE may."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def __enter__(self) -> "Dribbling":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def seek(self, place: int) -> None:
        self._file.seek(place)

    def read(self, count: int) -> bytes:
        content: bytes = self._file.read(min(count, 3))
        return content


def test_a_file_system_that_answers_with_less_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(b"0123456789")
    monkeypatch.setattr("builtins.open", lambda *args, real=open, **options: Dribbling(real(*args, **options)))
    pieces = [Piece(f"{tmp_path}/a", 0, 10), Piece(f"{tmp_path}/a", 2, 9), Piece(f"{tmp_path}/a", 4, 6)]
    assert read_pieces(local_folder(tmp_path), pieces) == [b"0123456789", b"2345678", b"45"]


def test_a_file_that_has_become_shorter_is_no_truncated_image(tmp_path: Path, store: Folder) -> None:
    (tmp_path / "a").write_bytes(b"01234")
    for folder, path, end in ((local_folder(tmp_path), f"{tmp_path}/a", 5), (store, "/pets/cat/1.jpg", 1)):
        with pytest.raises(TrainerError, match=rf"ends at byte {end}, but was at least 10 bytes long when the data was listed"):
            read_pieces(folder, [Piece(path, 0, 10)])
