"""What is in a folder and below it: links are followed, and what nobody has put there as data is counted and left out.

A link that leads nowhere or back to where it is, a folder that cannot be listed, and a name that is no text are errors that
name the path: samples that go missing without a word would be a wrong result that succeeds.
"""

import os
import stat
from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

from trainingrun_trainer.data.files import reading
from trainingrun_trainer.data.left_out import Tally
from trainingrun_trainer.errors import TrainerError, bad_data
from trainingrun_trainer.messages import in_utf8
from trainingrun_trainer.storage import Folder
from trainingrun_trainer.volume_files import VolumeFiles

SYSTEM_FOLDERS = frozenset(
    (
        # File systems and what checks them.
        *("lost+found", "found.000", "system volume information", "$recycle.bin", "recycler", "recycled", "~snapshot"),
        # NAS boxes.
        *("@eadir", "#recycle", "@recycle", "#snapshot", "@recently-snapshot", "@tmp", "@sharebin", "network trash folder"),
        # Archivers, desktops and tools.
        *("__macosx", "temporary items", "thevolumesettingsfolder", "__pycache__"),
    )
)
"""Names of folders that nobody makes for data, in small letters. Those that begin with a dot are hidden anyway."""

HIDDEN_FILES, HIDDEN_FOLDERS = "hidden files", "hidden folders"
SYSTEM = "folders of file systems, NAS boxes or archivers"
ODD = "pipes, sockets or devices"

Identity = tuple[int, int]
"""Of a folder, however it was reached: its device and number."""


class _Entry(NamedTuple):
    """Something in a folder; its name is relative to the data source."""

    name: str
    is_folder: bool
    size: int
    identity: Identity


def folders_in(folder: Folder, within: str, *, field: str, tally: Tally) -> tuple[list[str], list[str]]:
    """The names of the folders and of the files in a folder, sorted. Raises TrainerError; see the module."""
    prefix = f"{within}/" if within else ""
    if isinstance(folder.filesystem, VolumeFiles):
        entries = [(entry.name, entry.is_folder) for entry in _scan(folder, within, field=field, tally=tally)]
    else:
        with reading(folder, within, field=field):
            entries = list(_answered(folder, within, tally=tally))
    names = sorted((name.removeprefix(prefix), is_folder) for name, is_folder in entries)
    return [name for name, is_folder in names if is_folder], [name for name, is_folder in names if not is_folder]


def files_below(folder: Folder, within: str, *, field: str, tally: Tally) -> Iterator[tuple[str, int]]:
    """All files below a folder, and their sizes: names relative to the data source, in no order.

    Raises TrainerError; see the module.
    """
    if isinstance(folder.filesystem, VolumeFiles):
        yield from _walk(folder, within, field=field, tally=tally)
        return
    with reading(folder, within, field=field):
        found = folder.filesystem.find(folder.join(within), detail=True)
    left: set[str] = set()
    for path, about in found.items():
        name = path.removeprefix(f"{folder.path}/")
        if about["type"] == "directory" or name.endswith("/"):  # an empty object in the place of a folder
            continue
        if not _skipped(name, below=within, left=left, tally=tally):
            yield name, int(about["size"])


def kind_of_skipped(name: str, *, is_folder: bool) -> str | None:
    """What is left out for the last part of its name, or None for what may be data."""
    if name.startswith("."):
        return HIDDEN_FOLDERS if is_folder else HIDDEN_FILES
    return SYSTEM if is_folder and name.lower() in SYSTEM_FOLDERS else None


def _walk(folder: Folder, within: str, *, field: str, tally: Tally) -> Iterator[tuple[str, int]]:
    """The files below a local folder, links followed."""
    with reading(folder, within, field=field):
        paths = dict.fromkeys((folder.path, folder.join(within)))
        above = [_identity(folder.filesystem.bear(partial(os.stat, path), path=path)) for path in paths]
    waiting: list[tuple[str, list[Identity]]] = [(within, above)]
    while waiting:
        place, above = waiting.pop()
        for entry in _scan(folder, place, field=field, tally=tally):
            if not entry.is_folder:
                yield entry.name, entry.size
            elif entry.identity in above:
                raise bad_data(
                    f"{entry.name} in {folder.path} leads back to a folder that it is in, so what is below it has no end: "
                    "remove the link."
                )
            else:
                waiting.append((entry.name, [*above, entry.identity]))


def _scan(folder: Folder, within: str, *, field: str, tally: Tally) -> Iterator[_Entry]:
    """What is in a local folder, without what is left out for its name."""
    path = folder.join(within) if within else folder.path
    with reading(folder, within or folder.path, field=field):
        found = folder.filesystem.bear(partial(_entries, path), path=path)
    for entry in found:
        name = f"{within}/{entry.name}" if within else entry.name
        kind = kind_of_skipped(entry.name, is_folder=_seems_folder(entry))
        if kind is not None:
            tally.add(kind, in_utf8(name))
            continue
        if in_utf8(name) != name:
            raise _no_text(folder, name)
        with reading(folder, name, field=field):
            about = folder.filesystem.bear(entry.stat, path=entry.path)
        if stat.S_ISDIR(about.st_mode) or stat.S_ISREG(about.st_mode):
            yield _Entry(name, stat.S_ISDIR(about.st_mode), about.st_size, _identity(about))
        else:
            tally.add(ODD, name)


def _entries(path: str) -> list["os.DirEntry[str]"]:
    with os.scandir(path) as entries:
        return list(entries)


def _seems_folder(entry: "os.DirEntry[str]") -> bool:
    """Whether it is a folder, or a link to one; whatever cannot be asked is none."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _answered(folder: Folder, within: str, *, tally: Tally) -> Iterator[tuple[str, bool]]:
    """What a store lists in a folder, without what is left out for its name."""
    path = folder.join(within) if within else folder.path
    for entry in folder.filesystem.ls(path, detail=True):
        whole, is_folder = str(entry["name"]).rstrip("/"), entry["type"] == "directory"
        # A store may hold an empty object in the place of a folder, and then lists it within itself.
        if whole == path.rstrip("/"):
            continue
        name = whole.removeprefix(f"{folder.path}/")
        kind = kind_of_skipped(name.rpartition("/")[2], is_folder=is_folder)
        if kind is None:
            yield name, is_folder
        else:
            tally.add(kind, name)


def _skipped(name: str, *, below: str, left: set[str], tally: Tally) -> bool:
    """Whether a file of a store is left out for a part of its name; `left` are the folders that have been counted."""
    parts = name.removeprefix(f"{below}/").split("/")
    for place, part in enumerate(parts):
        kind = kind_of_skipped(part, is_folder=place < len(parts) - 1)
        if kind is None:
            continue
        outer = "/".join((below, *parts[: place + 1]))
        if outer not in left:
            left.add(outer)
            tally.add(kind, outer)
        return True
    return False


def _identity(about: Any) -> Identity:
    return about.st_dev, about.st_ino


def _no_text(folder: Folder, name: str) -> TrainerError:
    return bad_data(
        f"The name {in_utf8(name)} in {folder.path} is no text in UTF-8, so no result could name it: rename it, or mount the "
        "volume with the character set that its names are in."
    )
