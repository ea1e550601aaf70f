"""TFRecord files of `tf.train.Example`: listed in one pass that all ranks share, then read record by record."""

import hashlib
from collections.abc import Iterable, Sequence
from itertools import chain

import google_crc32c
import numpy as np
from numpy.typing import NDArray

from trainingrun.api import ImageSize, LabelGaps, TFRecordFiles
from trainingrun_trainer.context import Context
from trainingrun_trainer.data.arrays import Array, require_finite
from trainingrun_trainer.data.encoded import Positions
from trainingrun_trainer.data.example import Example, Keys, image_of, parse, require_images, required_image, vector_of
from trainingrun_trainer.data.files import Piece, matching_files, read_pieces
from trainingrun_trainer.data.groups import number_groups
from trainingrun_trainer.data.images import FIRST, ImageDecoder
from trainingrun_trainer.data.labels import Classes, count_from, named_classes
from trainingrun_trainer.data.left_out import LeftOut
from trainingrun_trainer.data.record_scan import CHECKSUM, END, FILE, START, Found, Scan, joined, record_name
from trainingrun_trainer.data.rounds import together
from trainingrun_trainer.errors import bad_data
from trainingrun_trainer.parallel.exchange import gather_bytes
from trainingrun_trainer.storage import Folder

_FIELD = "spec.data.tfRecord"


def open_tf_record(
    context: Context, folder: Folder, settings: TFRecordFiles, *, size: ImageSize | None, gaps: LabelGaps = LabelGaps.REFUSE
) -> "EncodedExamples":
    """Find all records of all files, in one pass over them. All ranks must call this.

    Raises TrainerError (bad data): a file that is none or is damaged, or a record without what the keys name.
    """
    training = matching_files(folder, settings.files, field=f"{_FIELD}.files")
    own = settings.validation_files
    validation = matching_files(folder, own, field=f"{_FIELD}.validationFiles") if own is not None else []
    files, keys = [*training, *validation], Keys(settings.input_key, settings.label_key, settings.group_key)
    scan = Scan(folder, files, keys)
    together(context, scan.run(range(context.gang.rank, len(files), context.gang.size)))
    found = joined([Found.decode(share) for share in gather_bytes(context.gang, scan.found().encode())])
    if len(found.records) == 0:
        raise bad_data(f"{', '.join(files)} in {folder.path} hold no records.")
    held_out = int((found.records[:, FILE] >= len(training)).sum())
    where = f"{files[0]}{' and others' * (len(files) > 1)}"
    classes = _classes(found, first=settings.first_label, where=where, gaps=gaps)
    groups = None if settings.group_key is None else _groups(found, held_out=held_out, where=where)
    return EncodedExamples(
        folder,
        files,
        found.records,
        classes,
        held_out=held_out,
        groups=groups,
        keys=keys,
        size=size,
    )


def _groups(found: Found, *, held_out: int, where: str) -> NDArray[np.int64]:
    """The same on all ranks: each has the groups of all."""
    names = np.array(found.group_names)[found.groups]
    return number_groups(names, samples=len(found.records), where=where, held_out=held_out)


def _classes(found: Found, *, first: int, where: str, gaps: LabelGaps) -> Classes:
    """The same on all ranks: each has the labels of all."""
    if found.names:
        return named_classes(found.labels, found.names, where=where)
    return count_from(found.labels, first=first, where=where, gaps=gaps, columns=found.kind.columns)


class EncodedExamples:
    """The records of some files: see `Encoded`. The digest is taken of the checksums and labels of all records."""

    left_out: tuple[LeftOut, ...] = ()
    """Every record is a sample."""

    def __init__(
        self,
        folder: Folder,
        files: Sequence[str],
        records: NDArray[np.int64],
        classes: Classes,
        *,
        held_out: int,
        groups: NDArray[np.int64] | None,
        keys: Keys,
        size: ImageSize | None,
    ) -> None:
        self._folder, self._files, self._records, self._keys = folder, files, records, keys
        self.held_out, self.groups = held_out, groups
        self.labels, self.class_names, self.classes = classes.numbers, classes.names, classes.size
        self.sha256 = hashlib.sha256(self._records[:, CHECKSUM].tobytes() + self.labels.tobytes()).hexdigest()
        first = ((self.name(place), self._example(place)) for place in range(min(FIRST, len(self))))
        name, example = next(first)
        image = image_of(example, keys, name=name)
        self._images = None if image is None else self._decoder(size, first=chain([(name, example)], first))
        self.shape = vector_of(example, keys, name=name).shape if self._images is None else self._images.shape
        self.dtype = np.dtype(np.float32 if self._images is None else np.uint8)

    def __len__(self) -> int:
        return len(self._records)

    def _decoder(self, size: ImageSize | None, *, first: Iterable[tuple[str, Example]]) -> ImageDecoder:
        images = [(name, required_image(example, self._keys, name=name)) for name, example in first]
        require_images(images, self._keys)
        return ImageDecoder(size, first=images)

    def read(self, positions: Positions) -> list[bytes]:
        """The data of records, which must be what it was when they were listed."""
        rows = self._records[positions].tolist()
        pieces = [Piece(self._folder.join(self._files[row[FILE]]), row[START], row[END]) for row in rows]
        contents = read_pieces(self._folder, pieces)
        for content, row in zip(contents, rows, strict=True):
            if google_crc32c.value(content) != row[CHECKSUM]:
                raise bad_data(
                    f"{record_name(self._files[row[FILE]], row[START])} is not what it was when the data was listed: the file "
                    "has been changed or damaged since. Leave data alone while it is trained on, and start again."
                )
        return contents

    def decode(self, contents: Sequence[bytes], *, positions: Positions) -> Array:
        """Pixels, or numbers as they are."""
        examples = self._examples(contents, positions)
        names = [self.name(int(position)) for position in positions]
        if self._images is not None:
            images = [required_image(example, self._keys, name=name) for example, name in zip(examples, names, strict=True)]
            return self._images(images, positions=positions, name=self.name)
        vectors = [vector_of(example, self._keys, name=name) for example, name in zip(examples, names, strict=True)]
        for vector, name in zip(vectors, names, strict=True):
            if vector.shape != self.shape:
                raise bad_data(f"{name} has {len(vector)} numbers, but the first record has {self.shape[0]}.")
        stacked = np.stack(vectors)
        require_finite(stacked, name=names.__getitem__)
        return stacked

    def name(self, position: int) -> str:
        """The file and where in it the record is."""
        row = self._records[position].tolist()
        return record_name(self._files[row[FILE]], row[START])

    def _example(self, position: int) -> Example:
        place = np.array([position])
        return self._examples(self.read(place), place)[0]

    def _examples(self, contents: Sequence[bytes], positions: Positions) -> list[Example]:
        return [parse(content, name=self.name(int(position))) for content, position in zip(contents, positions, strict=True)]
