"""Read files of a data source, and say what is there when one is missing."""

from trainingrun_trainer.errors import TrainerError, bad_data
from trainingrun_trainer.storage import Folder

LISTED = 10


def read_file(folder: Folder, name: str, *, field: str) -> bytes:
    """The content of the file `name` of a folder; `field` is the field of the specification that names it.

    Raises TrainerError: bad data that lists what the folder holds instead, or what the server of a uri refuses.
    """
    try:
        content: bytes = folder.filesystem.cat_file(folder.join(name))
    except FileNotFoundError as missing:
        raise _missing(folder, name, field=field) from missing
    except OSError as unreadable:
        raise bad_data(f"{name} cannot be read: {unreadable.strerror}.") from unreadable
    return content


def _missing(folder: Folder, name: str, *, field: str) -> TrainerError:
    names = _names(folder.path, folder=folder)
    if names is None:
        above = folder.path.rpartition("/")[0]
        held = _listing(above, _names(above, folder=folder))
        return bad_data(f"The data path {folder.path} does not exist. {held} Correct spec.data.source or copy the data.")
    return bad_data(f"There is no file {name} ({field}) in {folder.path}. {_listing(folder.path, names)}")


def _names(path: str, *, folder: Folder) -> list[str] | None:
    """What a folder holds, or None when it does not exist, or does not say."""
    try:
        entries = folder.filesystem.ls(path, detail=True)
    except (OSError, TrainerError):
        return None
    slashes = {"directory": "/"}
    return sorted(entry["name"].rstrip("/").rpartition("/")[2] + slashes.get(entry["type"], "") for entry in entries)


def _listing(path: str, names: list[str] | None) -> str:
    if names is None:
        return f"{path} does not exist either, or does not say what it holds."
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return f"{path} holds {', '.join(names[:LISTED])}{more}." if names else f"{path} is empty."
