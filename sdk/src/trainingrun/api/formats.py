"""The file formats of a data source: where each one's files are, and how what is in them is named."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from trainingrun.api.base import Frozen, Positive, up_to
from trainingrun.contract_version import Since

_PART = r"[^./*?#%\\\x00-\x1f\x7f][^/*?#%\\\x00-\x1f\x7f]*"
"""A name as file systems have it, spaces and letters of any script included: not hidden, no `..`, no control character, and
nothing that means something else in a pattern or in a URL."""
RELATIVE_PATH_PATTERN = rf"^({_PART}(/{_PART})*)?$"
FILES_PATTERN = rf"^({_PART}/)*[^./#%\\\x00-\x1f\x7f][^/#%\\\x00-\x1f\x7f]*$"

ANY_PATH = Since(2, beyond=r"^([A-Za-z0-9_=+@-][A-Za-z0-9._=+@-]*(/[A-Za-z0-9_=+@-][A-Za-z0-9._=+@-]*)*)?$")
ANY_FILES = Since(2, beyond=r"^([A-Za-z0-9_=+@-][A-Za-z0-9._=+@-]*/)*[A-Za-z0-9_=+@*?-][A-Za-z0-9._=+@*?-]*$")

RelativePath = Annotated[str, ANY_PATH, Field(pattern=RELATIVE_PATH_PATTERN, max_length=255)]
FileName = Annotated[str, ANY_PATH, Field(pattern=RELATIVE_PATH_PATTERN, min_length=1, max_length=255)]
FileNames = Annotated[str, ANY_FILES, Field(pattern=FILES_PATTERN, min_length=1, max_length=255)]
"""A file name in which `*` stands for any characters and `?` for one; not in the folders before it."""
Key = Annotated[str, Field(min_length=1, max_length=63)]
"""A name inside a file: of an array, a feature or a column."""

_FILES = "Files, relative to the data source, for example train/*; * stands for any characters, ? for one."
_GROUPS = "All samples of a group are for training, or all for validation, or all for test."
_VALIDATION = "They are validated on as a whole, and data.validationFraction is not used."


class DataFormat(StrEnum):
    """File formats of a data source."""

    IDX = "IDX"
    NPZ = "NPZ"
    IMAGE_FOLDER = "ImageFolder"
    TF_RECORD = "TFRecord"
    CSV = "CSV"


class LabelGaps(StrEnum):
    """What integers from 0 mean when some number below the highest does not occur."""

    REFUSE = "Refuse"
    CLOSE = "Close"


class ChannelOrder(StrEnum):
    """Where the channels of an image stand in its shape."""

    LAST = "Last"
    FIRST = "First"


class _Arrays(Frozen):
    """Samples that are arrays of any type of number."""

    channels: Annotated[
        ChannelOrder | None,
        Since(2),
        Field(
            description="Where samples of three dimensions have their channels: Last is [height, width, channels], First is "
            "[channels, height, width], which is transposed. Default: last, and what looks like first is refused."
        ),
    ] = None
    divisor: Annotated[
        Positive | None,
        Since(2),
        Field(
            description="What values are divided by to be about 0 to 1, for example 4095; 1 takes them as they are. Default: "
            "255 for bytes and images of other types whose values are those of bytes, 1 for others; images that are then far "
            "from 0 to 1 are refused.",
            json_schema_extra=up_to(1e18),
        ),
    ] = None


class IDXFiles(_Arrays):
    """File names of an IDX data set; gzip-compressed files are recognised by their content."""

    images: Annotated[FileName, Field(description="File with the images, for example t10k-images-idx3-ubyte.gz.")] = (
        "train-images-idx3-ubyte.gz"
    )
    labels: Annotated[FileName, Field(description="File with the labels, for example t10k-labels-idx1-ubyte.gz.")] = (
        "train-labels-idx1-ubyte.gz"
    )
    groups: Annotated[
        FileName | None,
        ANY_PATH,
        Since(2),
        Field(description=f"File with the group of each sample, integers, for example the writer of a digit. {_GROUPS}"),
    ] = None


class NPZArrays(_Arrays):
    """File and array names of a NumPy .npz data set."""

    file: Annotated[FileName, Field(description="The .npz file, for example digits.npz.")] = "mnist.npz"
    images: Annotated[Key, Field(description="Array with the images or feature vectors, for example x.")] = "x_train"
    labels: Annotated[
        Key,
        Field(
            description="Array with the labels: integers, names, or one-hot rows. Quote a name that YAML takes for true or "
            'false: "y", for example.'
        ),
    ] = "y_train"
    groups: Annotated[
        Key | None,
        Since(2),
        Field(description=f"Array with the group of each sample, integers or names, for example patient. {_GROUPS}"),
    ] = None


class ImageFolder(Frozen):
    """Images in one folder per class, which names the class; classes are numbered in the order of their names."""

    folder: Annotated[
        RelativePath,
        Field(description="Folder with the class folders, relative to the data source, for example train. Empty: its root."),
    ] = ""
    validation_folder: Annotated[
        FileName | None,
        ANY_PATH,
        Field(description=f"Folder with class folders of validation images, for example val. {_VALIDATION}"),
    ] = None
    group_folders: Annotated[
        bool,
        Since(2),
        Field(
            description="Whether the folders in the class folders are groups, for example ill/patient-7/1.png; folders of one "
            f"name are one group, whatever their class. {_GROUPS}"
        ),
    ] = False


class TFRecordFiles(Frozen):
    """Files of tf.train.Example records, not compressed; the names of what is in them."""

    files: Annotated[FileNames, Field(description=_FILES)] = "*.tfrecord"
    validation_files: Annotated[
        FileNames | None, ANY_FILES, Field(description=f"Files with validation samples, for example val/*. {_VALIDATION}")
    ] = None
    input_key: Annotated[
        Key, Field(description="Feature with the sample, for example image: one encoded image, or a list of numbers.")
    ] = "image/encoded"
    label_key: Annotated[
        Key,
        Field(
            description="Feature with the label, for example label: one integer, one string that names the class, or zeros "
            "with a single 1."
        ),
    ] = "image/class/label"
    first_label: Annotated[
        Literal[0, 1], Field(description="Number of the first class: 1 where 0 is kept for a background that does not occur.")
    ] = 0
    group_key: Annotated[
        Key | None,
        Since(2),
        Field(description=f"Feature with the group of the sample, one string or one integer, for example patient. {_GROUPS}"),
    ] = None


class MissingValues(StrEnum):
    """What is done about features that have no value in some lines of a table."""

    REFUSE = "Refuse"
    MEAN = "Mean"


class CSVFiles(Frozen):
    """Tables in UTF-8, a sample per line; all columns but the label's are features: numbers, or categories."""

    files: Annotated[FileNames, Field(description=_FILES)] = "*.csv"
    validation_files: Annotated[
        FileNames | None, ANY_FILES, Field(description=f"Files with validation samples, for example val/*. {_VALIDATION}")
    ] = None
    label_column: Annotated[
        Key,
        Field(description="Column with the label, for example species: integers in all rows, or names of classes in all rows."),
    ] = "label"
    ignored_columns: Annotated[
        tuple[Key, ...],
        Field(
            max_length=64,
            description="Columns that are no features, for example an identifier.",
            json_schema_extra={"x-kubernetes-list-type": "set"},
        ),
    ] = ()
    delimiter: Annotated[
        Literal[",", ";", "\t", "|"],
        Since(2, values=("|",)),
        Field(description="What separates the values of a line; spaces around it count for nothing."),
    ] = ","
    header: Annotated[
        bool,
        Since(2),
        Field(description="Whether the first line has the names of the columns. false: they are called c0, c1, c2 and so on."),
    ] = True
    categorical_columns: Annotated[
        tuple[Key, ...],
        Since(2),
        Field(
            max_length=64,
            description="Columns whose values are names, or numbers that are names, for example a postcode. Each category of "
            "the training samples becomes a feature that is 0 or 1; any other is 0 in all of them.",
            json_schema_extra={"x-kubernetes-list-type": "set"},
        ),
    ] = ()
    group_column: Annotated[
        Key | None,
        Since(2),
        Field(description=f"Column with the group of each sample, for example patient. It is no feature. {_GROUPS}"),
    ] = None
    missing: Annotated[
        MissingValues,
        Since(2),
        Field(
            description="What is done about features without a value (nothing, ?, NA, N/A, NaN, null, None). Refuse: it is an "
            "error. Mean: the mean of the training samples; a categorical column then has none of its categories."
        ),
    ] = MissingValues.REFUSE


class ImageSize(Frozen):
    """The size that every image gets: needed where they differ."""

    height: Annotated[int, Field(ge=1, le=4096, description="Rows of pixels, for example 224.")]
    width: Annotated[int, Field(ge=1, le=4096, description="Pixels in a row, for example 224.")]
    channels: Annotated[Literal[1, 3], Field(description="1 for grey, 3 for colours.")] = 3
