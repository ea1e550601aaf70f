"""Find and read the files of a folder, wherever it is, and say what is there when one is missing.

A volume raises OSError about what will not pass. What else a file system raises beside FileNotFoundError is a sentence already.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from trainingrun_trainer import disk_errors
from trainingrun_trainer.errors import TrainerError, bad_data
from trainingrun_trainer.storage import Folder
from trainingrun_trainer.volume_files import VolumeFiles

LISTED = 10


class Piece(NamedTuple):
    """Some bytes of a file, from `start` up to `end`."""

    path: str
    start: int
    end: int


@contextmanager
def reading(folder: Folder, name: str, *, field: str) -> Iterator[None]:
    """Turn what goes wrong with a file into a sentence; `field` is the field of the specification that names it.

    Raises TrainerError (bad data) that lists what the folder holds instead of a missing file.
    """
    try:
        yield
    except FileNotFoundError as missing:
        if isinstance(folder.filesystem, VolumeFiles) and os.path.islink(folder.join(name)):
            raise _leads_nowhere(folder, name) from missing
        raise _missing(folder, f"There is no file {name} ({field})") from missing
    except OSError as unreadable:
        raise _unreadable(name, unreadable) from unreadable


def read_file(folder: Folder, name: str, *, field: str) -> bytes:
    """The content of a file. Raises TrainerError (bad data)."""
    with reading(folder, name, field=field):
        content: bytes = folder.filesystem.cat_file(folder.join(name))
        return content


def matching_files(folder: Folder, pattern: str, *, field: str) -> list[str]:
    """Names of the files that `pattern` stands for, sorted; at least one.

    Raises TrainerError (bad data): none matches, or a web server would have to be asked which there are.
    """
    if not any(wildcard in pattern for wildcard in "*?"):
        return [pattern]
    require_listing(folder, field=field, value=pattern)
    within, slash, last = pattern.rpartition("/")
    with reading(folder, pattern, field=field):
        entries = list_folder(folder, within)
    meant = last.replace("[", "[[]")  # a bracket stands for itself
    names = [f"{within}{slash}{name}" for name, is_folder in entries if not is_folder and fnmatchcase(name, meant)]
    if not names:
        raise _missing(folder, f"There is no file {pattern} ({field})")
    return sorted(names)


def list_folder(folder: Folder, within: str = "") -> list[tuple[str, bool]]:
    """The names in a folder, or in one `within` it, and whether each is a folder; hidden ones are left out."""
    path = folder.join(within) if within else folder.path
    found = [(str(entry["name"]).rstrip("/"), _is_folder(folder, entry)) for entry in folder.filesystem.ls(path, detail=True)]
    # An object store may hold an empty object in the place of a folder, and then lists it within itself.
    names = [(name.rpartition("/")[2], is_folder) for name, is_folder in found if name != path.rstrip("/")]
    return sorted((name, is_folder) for name, is_folder in names if not name.startswith("."))


def _is_folder(folder: Folder, entry: Mapping[str, Any]) -> bool:
    """Whether what was listed is a folder, or a link to one."""
    return entry["type"] == "directory" or (bool(entry.get("islink")) and bool(folder.filesystem.isdir(entry["name"])))


def require_listing(folder: Folder, *, field: str, value: str) -> None:
    """Raises TrainerError (bad data) for a web server, which does not say what files there are."""
    if folder.path.startswith("https://"):
        raise bad_data(
            f"{folder.path} is a web server, which does not list its files, so {field} {value!r} finds none: name one file "
            "without * and ?, or copy the data to an object store or a volume."
        )


def read_pieces(folder: Folder, pieces: Sequence[Piece]) -> list[bytes]:
    """The bytes of many pieces, from a server at the same time.

    Raises TrainerError (bad data): a file has gone, or has become shorter, since the data was listed.
    """
    paths, starts, ends = zip(*pieces, strict=True)
    try:
        contents: list[bytes] = folder.filesystem.cat_ranges(list(paths), list(starts), list(ends))
    except FileNotFoundError as missing:
        raise bad_data(f"A file has gone since the data was listed: {missing}. Restart when the data is complete.") from missing
    except OSError as unreadable:
        raise _unreadable(unreadable.filename or "A file", unreadable) from unreadable
    return [_complete(content, piece) for content, piece in zip(contents, pieces, strict=True)]


def _unreadable(name: str, problem: OSError) -> TrainerError:
    return bad_data(f"{name} cannot be read: {disk_errors.words(problem)}.", hint=disk_errors.way_to_read(problem))


def _complete(content: bytes, piece: Piece) -> bytes:
    """Raises TrainerError (bad data) when a file is shorter than it was."""
    if len(content) == piece.end - piece.start:
        return content
    raise bad_data(
        f"{piece.path} ends at byte {piece.start + len(content)}, but was at least {piece.end} bytes long when the data was "
        "listed: it has changed since. Restart when the data is complete."
    )


def _leads_nowhere(folder: Folder, name: str) -> TrainerError:
    return bad_data(
        f"{name} in {folder.path} is a link to {os.readlink(folder.join(name))}, which does not exist in this volume. Copy "
        "what it leads to (rsync -L and cp -L do), or remove the link."
    )


def _missing(folder: Folder, what: str) -> TrainerError:
    """The sentence about a missing file, `what`, or about a whole folder that is missing."""
    names = _names(folder.path, folder=folder)
    if names is None:
        above = folder.path.rpartition("/")[0]
        held = _listing(above, _names(above, folder=folder))
        return bad_data(f"The data path {folder.path} does not exist. {held} Correct spec.data.source or copy the data.")
    return bad_data(f"{what} in {folder.path}. {_listing(folder.path, names)}")


def _names(path: str, *, folder: Folder) -> list[str] | None:
    """What a folder holds, or None when it does not exist, or does not say."""
    try:
        return [name + "/" * is_folder for name, is_folder in list_folder(Folder(folder.filesystem, path))]
    except (OSError, TrainerError):
        return None


def _listing(path: str, names: list[str] | None) -> str:
    if names is None:
        return f"{path} does not exist either, or does not say what it holds."
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return f"{path} holds {', '.join(names[:LISTED])}{more}." if names else f"{path} is empty."
