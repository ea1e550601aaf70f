"""The class folders of a data set, and the files below them that are images by their ending."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import astuple
from typing import NamedTuple

from trainingrun_trainer.context import Context
from trainingrun_trainer.data.files import LISTED
from trainingrun_trainer.data.folders import files_below, folders_in
from trainingrun_trainer.data.left_out import LeftOut, Tally, added_up, kind_of_file
from trainingrun_trainer.data.rounds import together
from trainingrun_trainer.errors import TrainerError, bad_data
from trainingrun_trainer.parallel.exchange import gather_bytes
from trainingrun_trainer.storage import Folder

ENDINGS = (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".dib", ".gif")
"""Of files that are taken for samples; what they hold is told by their content."""
BESIDE = "files beside the class folders"

_PARTS = frozenset(("train", "training", "val", "valid", "validation", "dev", "test", "testing"))
"""Folders that are parts of a data set, and no classes, where a data set has nothing else."""


class Listed(NamedTuple):
    """A file: the class that its folder names, its name relative to the data source, and its size in bytes."""

    class_name: str
    name: str
    size: int


def images_in(context: Context, folder: Folder, within: str, *, field: str) -> tuple[list[Listed], tuple[LeftOut, ...]]:
    """The images below the class folders in a folder, sorted by class and name, and what is left out. All ranks call this.

    Raises TrainerError: no classes, a class without images, parts of a data set in the place of classes, or a path that cannot
    be listed.
    """
    chief = Tally()
    classes, beside = folders_in(folder, within, field=field, tally=chief)
    for name in beside:
        chief.add(BESIDE, name)
    if not classes:
        raise _no_classes(folder, within, field=field)
    if len(classes) > 1 and {name.lower() for name in classes} <= _PARTS:
        raise _parts(folder, within, classes, field=field)
    tally = chief if context.gang.rank == 0 else Tally()  # all ranks have seen the same above
    mine: list[Listed] = []
    own = classes[context.gang.rank :: context.gang.size]
    together(context, _list_classes(folder, within, own, field=field, found=mine, tally=tally))
    told = json.dumps([mine, [astuple(each) for each in tally.left_out()]]).encode()
    shares = [json.loads(share) for share in gather_bytes(context.gang, told)]
    left_out = added_up([LeftOut(kind, count, tuple(such)) for kind, count, such in left] for _, left in shares)
    return sorted(Listed(*file) for files, _ in shares for file in files), left_out


def _list_classes(
    folder: Folder, within: str, classes: Sequence[str], *, field: str, found: list[Listed], tally: Tally
) -> Iterator[None]:
    """Add the images of these classes to what is found, one class after the other, and pause after every file."""
    for name in classes:
        inside = f"{within}/{name}" if within else name
        before, here = len(found), Tally()
        for path, size in files_below(folder, inside, field=field, tally=tally):
            if path.lower().endswith(ENDINGS):
                found.append(Listed(name, path, size))
            else:
                tally.add(kind_of_file(path.rpartition("/")[2]), path)
                here.add(kind_of_file(path.rpartition("/")[2]), path)
            yield
        if len(found) == before:
            raise _no_images(folder, inside, here.left_out())


def _no_classes(folder: Folder, within: str, *, field: str) -> TrainerError:
    return bad_data(
        f"{folder.join(within) if within else folder.path} ({field}) holds no folders; expected one folder of images per "
        "class, whose name is that of the class. Where the class is part of the file names, make such folders and move or link "
        "the files into them."
    )


def _parts(folder: Folder, within: str, classes: Sequence[str], *, field: str) -> TrainerError:
    prefix = f"{within}/" if within else ""
    trained = next((name for name in classes if name.lower().startswith("train")), classes[0])
    held = next((name for name in classes if name.lower().startswith(("val", "dev"))), None)
    held = held or next(name for name in classes if name != trained)
    return bad_data(
        f"{folder.join(within) if within else folder.path} ({field}) holds {', '.join(classes)}, which are parts of a data set "
        f"and no classes. Set spec.data.imageFolder to {{folder: {prefix}{trained}, validationFolder: {prefix}{held}}}."
    )


def _no_images(folder: Folder, inside: str, there: Sequence[LeftOut]) -> TrainerError:
    held = f"It holds {'; '.join(map(str, added_up([there])[:LISTED]))}. " if there else ""
    return bad_data(
        f"The class folder {inside} in {folder.path} has no images ({', '.join(ENDINGS)}). {held}"
        "Fill it, remove it, or convert and rename what it holds."
    )
