"""Images in class folders, such as `cats/1.jpg` and `dogs/7.png`. The ranks share the work of listing them."""

import hashlib
import json
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trainingrun.api import ImageFolder, ImageSize
from trainingrun_trainer.context import Context
from trainingrun_trainer.data.class_folders import Listed, images_in
from trainingrun_trainer.data.class_names import number_classes
from trainingrun_trainer.data.dataset import checked_labels
from trainingrun_trainer.data.encoded import Positions
from trainingrun_trainer.data.files import LISTED, Piece, read_pieces, require_listing
from trainingrun_trainer.data.groups import number_groups
from trainingrun_trainer.data.images import FIRST, ImageDecoder
from trainingrun_trainer.data.left_out import LeftOut, added_up
from trainingrun_trainer.errors import bad_data
from trainingrun_trainer.storage import Folder

_FIELD = "spec.data.imageFolder"


def open_image_folder(context: Context, folder: Folder, settings: ImageFolder, *, size: ImageSize | None) -> "EncodedImages":
    """List the images of all classes. All ranks must call this.

    Raises TrainerError (bad data): see `class_folders`; or none of the first images can be decoded.
    """
    require_listing(folder, field=f"{_FIELD}.folder", value=settings.folder)
    training, left_out = images_in(context, folder, settings.folder, field=f"{_FIELD}.folder")
    own = settings.validation_folder
    if own is None:
        groups = _groups(settings, training, validation=[])
        return EncodedImages(folder, training, held_out=0, size=size, left_out=left_out, groups=groups)
    if f"{own}/".startswith(f"{settings.folder}/") or not settings.folder:
        raise bad_data(
            f"{_FIELD}.validationFolder {own} lies in {_FIELD}.folder {settings.folder!r}, where it would be a class itself: "
            "set folder to one that holds the class folders of training only, for example train."
        )
    validation, also = images_in(context, folder, own, field=f"{_FIELD}.validationFolder")
    strangers = {file.class_name for file in validation} - {file.class_name for file in training}
    if strangers:
        raise bad_data(
            f"The validation folder {own} has images of {', '.join(sorted(strangers)[:LISTED])}, but "
            f"{settings.folder or 'the source'} has no such class folders: give both the same classes."
        )
    files, left_out = [*training, *validation], added_up([left_out, also])
    groups = _groups(settings, training, validation=validation)
    return EncodedImages(folder, files, held_out=len(validation), size=size, left_out=left_out, groups=groups)


def _groups(settings: ImageFolder, training: Sequence[Listed], *, validation: Sequence[Listed]) -> NDArray[np.int64] | None:
    """The groups of all images, those for validation last, if folders say them."""
    if not settings.group_folders:
        return None
    names = _group_names(training, within=settings.folder)
    names += _group_names(validation, within=settings.validation_folder or "")
    where = f"The images in {' and '.join(filter(None, (settings.folder or 'the source', settings.validation_folder)))}"
    return number_groups(names, samples=len(names), where=where, held_out=len(validation))


def _group_names(files: Sequence[Listed], *, within: str) -> list[str]:
    """The folders in which images lie in those of their classes."""
    names = []
    for file in files:
        inside = file.name.removeprefix(f"{within}/" if within else "").removeprefix(f"{file.class_name}/")
        group, is_in_folder, _ = inside.partition("/")
        if not is_in_folder:
            raise bad_data(
                f"{file.name} lies in the folder of its class, but {_FIELD}.groupFolders takes the folders in it for groups: "
                "move it into one, or remove groupFolders."
            )
        names.append(group)
    return names


class EncodedImages:
    """The files of an image folder: see `Encoded`. The digest is taken of their names and sizes, not of what is in them."""

    def __init__(
        self,
        folder: Folder,
        files: list[Listed],
        *,
        held_out: int,
        size: ImageSize | None,
        left_out: tuple[LeftOut, ...],
        groups: NDArray[np.int64] | None = None,
    ) -> None:
        self._folder = folder
        self._files = files
        self.held_out, self.left_out, self.groups = held_out, left_out, groups
        numbers, self.class_names = number_classes([file.class_name for file in files])
        self.labels: NDArray[np.int64] = checked_labels(numbers, where=f"The images in {folder.path}")
        self.classes = len(self.class_names)
        self.sha256 = hashlib.sha256(json.dumps(files).encode()).hexdigest()
        first = ((self.name(place), self.read(np.array([place]))[0]) for place in range(min(FIRST, len(files))))
        self._images = ImageDecoder(size, first=first)
        self.shape, self.dtype = self._images.shape, np.dtype(np.uint8)

    def __len__(self) -> int:
        return len(self._files)

    def name(self, position: int) -> str:
        """The file, relative to the data source."""
        return self._files[position].name

    def read(self, positions: Positions) -> list[bytes]:
        """Whole files."""
        files = [self._files[position] for position in positions]
        return read_pieces(self._folder, [Piece(self._folder.join(file.name), 0, file.size) for file in files])

    def decode(self, contents: Sequence[bytes], *, positions: Positions) -> NDArray[np.uint8]:
        """Their pixels."""
        return self._images(contents, positions=positions, name=self.name)
