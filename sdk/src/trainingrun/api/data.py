"""`spec.data`: where the samples are, how to read them, and what is held out."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from trainingrun.api.base import Decimal, Frozen, ObjectName, rule, rules
from trainingrun.api.storage import Location, location_rules

RELATIVE_PATH_PATTERN = r"^([A-Za-z0-9_=+@-][A-Za-z0-9._=+@-]*(/[A-Za-z0-9_=+@-][A-Za-z0-9._=+@-]*)*)?$"

RelativePath = Annotated[str, Field(pattern=RELATIVE_PATH_PATTERN, max_length=255)]
FileName = Annotated[str, Field(pattern=RELATIVE_PATH_PATTERN, min_length=1, max_length=255)]


class VolumePath(Frozen):
    """A folder in a PersistentVolumeClaim of the run's namespace."""

    claim_name: Annotated[ObjectName, Field(description="Name of the PersistentVolumeClaim.")]
    path: Annotated[
        RelativePath, Field(description="Folder in the volume, relative to its root, without '..'. Empty: the root.")
    ] = ""


class BuiltinDataset(StrEnum):
    """Data sets that the trainer image holds."""

    MNIST10K = "MNIST10k"


class DataSource(Location):
    """Exactly one place that the data comes from: a claim, an object store or web server, or the trainer image."""

    persistent_volume_claim: Annotated[
        VolumePath | None, Field(description="A folder in a PersistentVolumeClaim. It is mounted read-only.")
    ] = None
    builtin: Annotated[
        BuiltinDataset | None, Field(description="A data set inside the trainer image: MNIST10k (10,000 digits).")
    ] = None

    model_config = rules(
        *location_rules("data.source", schemes=("s3", "gs", "https"), places=("persistentVolumeClaim", "uri", "builtin"))
    )


class DataFormat(StrEnum):
    """File formats of a data source."""

    IDX = "IDX"
    NPZ = "NPZ"


class IDXFiles(Frozen):
    """File names of an IDX data set; gzip-compressed files are recognised by their content."""

    images: Annotated[FileName, Field(description="File with the images.")] = "train-images-idx3-ubyte.gz"
    labels: Annotated[FileName, Field(description="File with the labels.")] = "train-labels-idx1-ubyte.gz"


class NPZArrays(Frozen):
    """File and array names of a NumPy .npz data set."""

    file: Annotated[FileName, Field(description="The .npz file.")] = "mnist.npz"
    images: Annotated[str, Field(min_length=1, max_length=63, description="Array with the images or feature vectors.")] = (
        "x_train"
    )
    labels: Annotated[str, Field(min_length=1, max_length=63, description="Array with the integer labels.")] = "y_train"


_FRACTIONS = "double(self.validationFraction) + double(self.testFraction) < 1.0"


class Data(Frozen):
    """Labelled samples for classification, split into training, validation and test by the run's seed."""

    source: Annotated[DataSource, Field(description="Where the data is.")]
    format: Annotated[DataFormat | None, Field(description="IDX (as MNIST is distributed) or NPZ. Not for builtin data.")] = (
        None
    )
    idx: Annotated[IDXFiles | None, Field(description="File names, with format IDX.")] = None
    npz: Annotated[NPZArrays | None, Field(description="File and array names, with format NPZ.")] = None
    validation_fraction: Annotated[
        Decimal, Field(description="Part of the samples that is held out to measure progress, for example 0.1.")
    ] = "0.1"
    test_fraction: Annotated[
        Decimal, Field(description="Part of the samples that is held out and judged once, at the end.")
    ] = "0"

    model_config = rules(
        rule(
            "has(self.source.builtin) != has(self.format)",
            "data.format is needed with data.source.persistentVolumeClaim and data.source.uri (IDX or NPZ), and must be left "
            "out with data.source.builtin, whose format is known.",
        ),
        rule(
            "!has(self.idx) || (has(self.format) && self.format == 'IDX')",
            "data.idx is only read with data.format IDX: set format to IDX or remove idx.",
        ),
        rule(
            "!has(self.npz) || (has(self.format) && self.format == 'NPZ')",
            "data.npz is only read with data.format NPZ: set format to NPZ or remove npz.",
        ),
        rule(
            "double(self.validationFraction) > 0.0",
            "data.validationFraction must be more than 0: progress and early stopping are measured on samples that "
            "are held out.",
            field_path=".validationFraction",
        ),
        rule(
            _FRACTIONS,
            "'data.validationFraction ' + self.validationFraction + ' and data.testFraction ' + self.testFraction + "
            "' leave no training data: their sum must be less than 1.'",
            computed=True,
        ),
    )
