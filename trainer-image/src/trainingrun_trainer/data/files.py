"""Find files, and say what is there when one is missing."""

from pathlib import Path

from trainingrun_trainer.errors import bad_data

LISTED = 10


def require_file(folder: Path, name: str, *, field: str) -> Path:
    """The file `name` of a folder; `field` is the field of the specification that names it.

    Raises TrainerError (bad data) that lists what the folder holds instead.
    """
    path = folder / name
    if not folder.is_dir():
        raise bad_data(
            f"The data path {folder} does not exist. {_listing(folder.parent)} Correct spec.data.source or copy the data."
        )
    if not path.is_file():
        raise bad_data(f"There is no file {name} ({field}) in {folder}. {_listing(folder)}")
    return path


def _listing(folder: Path) -> str:
    if not folder.is_dir():
        return f"{folder} does not exist either."
    names = sorted(entry.name + ("/" if entry.is_dir() else "") for entry in folder.iterdir())
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return f"{folder} holds {', '.join(names[:LISTED])}{more}." if names else f"{folder} is empty."
