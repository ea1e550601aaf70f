"""Images in class folders, such as `cats/1.jpg` and `dogs/7.png`. The ranks share the work of listing them."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainingrun.api import ImageFolder, ImageSize
from trainingrun_trainer.context import Context
from trainingrun_trainer.data.class_names import number_classes
from trainingrun_trainer.data.dataset import checked_labels
from trainingrun_trainer.data.encoded import Positions
from trainingrun_trainer.data.files import LISTED, Piece, list_folder, read_pieces, reading, require_listing
from trainingrun_trainer.data.images import ImageDecoder
from trainingrun_trainer.data.rounds import together
from trainingrun_trainer.errors import bad_data
from trainingrun_trainer.parallel.exchange import gather_bytes
from trainingrun_trainer.storage import Folder

_EXTENSIONS = (".png", ".jpg", ".jpeg")
_FIELD = "spec.data.imageFolder"


class _Listed(NamedTuple):
    """A file: the class that its folder names, its name relative to the data source, and its size in bytes."""

    class_name: str
    name: str
    size: int


def open_image_folder(context: Context, folder: Folder, settings: ImageFolder, *, size: ImageSize | None) -> "EncodedImages":
    """List the images of all classes. All ranks must call this.

    Raises TrainerError (bad data): no classes, a class without images, or a first image that cannot be decoded.
    """
    require_listing(folder, field=f"{_FIELD}.folder", value=settings.folder)
    training = _images(context, folder, settings.folder, field=f"{_FIELD}.folder")
    own = settings.validation_folder
    validation = _images(context, folder, own, field=f"{_FIELD}.validationFolder") if own is not None else []
    strangers = {file.class_name for file in validation} - {file.class_name for file in training}
    if strangers:
        raise bad_data(
            f"The validation folder {own} has images of {', '.join(sorted(strangers)[:LISTED])}, but "
            f"{settings.folder or 'the source'} has no such class folders: give both the same classes."
        )
    return EncodedImages(folder, [*training, *validation], held_out=len(validation), size=size)


class EncodedImages:
    """The files of an image folder: see `Encoded`. The digest is taken of their names and sizes, not of what is in them."""

    def __init__(self, folder: Folder, files: list[_Listed], *, held_out: int, size: ImageSize | None) -> None:
        self._folder = folder
        self._files = files
        self.held_out = held_out
        numbers, self.class_names = number_classes([file.class_name for file in files])
        self.labels: NDArray[np.int64] = checked_labels(numbers, where=f"The images in {folder.path}")
        self.classes = len(self.class_names)
        self.sha256 = hashlib.sha256(json.dumps(files).encode()).hexdigest()
        start = np.zeros(1, dtype=np.int64)
        self._images = ImageDecoder(size, first=self.read(start)[0], name=files[0].name)
        self.shape, self.dtype = self._images.shape, np.dtype(np.uint8)

    def __len__(self) -> int:
        return len(self._files)

    def read(self, positions: Positions) -> list[bytes]:
        """Whole files."""
        files = [self._files[position] for position in positions]
        return read_pieces(self._folder, [Piece(self._folder.join(file.name), 0, file.size) for file in files])

    def decode(self, contents: Sequence[bytes], *, positions: Positions) -> NDArray[np.uint8]:
        """Their pixels."""
        return self._images(contents, name=lambda place: self._files[positions[place]].name)


def _images(context: Context, folder: Folder, within: str, *, field: str) -> list[_Listed]:
    """The images below the class folders in a folder, sorted by class and name."""
    with reading(folder, within, field=field):
        classes = [name for name, is_folder in list_folder(folder, within) if is_folder]
    if not classes:
        raise bad_data(
            f"{folder.join(within) if within else folder.path} ({field}) holds no folders; expected one folder of images per "
            "class, whose name is that of the class."
        )
    mine: list[_Listed] = []
    together(context, _list_classes(folder, within, classes[context.gang.rank :: context.gang.size], found=mine))
    shares = gather_bytes(context.gang, json.dumps(mine).encode())
    return sorted(_Listed(*file) for share in shares for file in json.loads(share))


def _list_classes(folder: Folder, within: str, classes: Sequence[str], *, found: list[_Listed]) -> Iterator[None]:
    """Add the images of these classes to what is found, one class after the other."""
    for name in classes:
        inside = f"{within}/{name}" if within else name
        with reading(folder, inside, field=_FIELD):
            entries = folder.filesystem.find(folder.join(inside), detail=True)
        images = [_Listed(name, path, size) for path, size in _named(folder, entries) if path.lower().endswith(_EXTENSIONS)]
        if not images:
            raise bad_data(
                f"The class folder {inside} in {folder.path} has no images (.png, .jpg, .jpeg). Fill it or remove it."
            )
        found += images
        yield


def _named(folder: Folder, entries: dict[str, dict[str, Any]]) -> Iterator[tuple[str, int]]:
    """Names relative to the folder, and sizes, of all files that are not hidden."""
    for path, about in entries.items():
        name = path.removeprefix(f"{folder.path}/")
        if not any(part.startswith(".") for part in name.split("/")):
            yield name, int(about["size"])
