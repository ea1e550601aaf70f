"""`spec.data`: where the samples are, how to read them, and what is held out."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from trainingrun.api.base import Fraction, Frozen, ObjectName, PositiveFraction, Rule, rule, rules
from trainingrun.api.formats import (
    CSVFiles,
    DataFormat,
    IDXFiles,
    ImageFolder,
    ImageSize,
    LabelGaps,
    NPZArrays,
    RelativePath,
    TFRecordFiles,
)
from trainingrun.api.storage import Location, location_rules
from trainingrun.contract_version import Since


class VolumePath(Frozen):
    """A folder in a PersistentVolumeClaim of the run's namespace."""

    claim_name: Annotated[ObjectName, Field(description="Name of the PersistentVolumeClaim, for example datasets.")]
    path: Annotated[
        RelativePath,
        Field(description="Folder in the volume, relative to its root, without '..', for example mnist. Empty: the root."),
    ] = ""


class BuiltinDataset(StrEnum):
    """Data sets that the trainer image holds."""

    MNIST10K = "MNIST10k"


class Damaged(StrEnum):
    """What is done about images that cannot be decoded."""

    REFUSE = "Refuse"
    SKIP = "Skip"


class NormalizationType(StrEnum):
    """What is done to the features of vectors before a network sees them."""

    NONE = "None"
    STANDARDIZE = "Standardize"


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


_FRACTIONS = "self.validationFraction + self.testFraction < 1.0"


def _only_with(block: str, data_format: DataFormat) -> Rule:
    """A format's block is refused beside another format: it would be ignored."""
    return rule(
        f"!has(self.{block}) || (has(self.format) && self.format == '{data_format}')",
        f"data.{block} is only read with data.format {data_format}: set format to {data_format} or remove {block}.",
    )


class Data(Frozen):
    """Labelled samples for classification, split into training, validation and test by the run's seed."""

    source: Annotated[DataSource, Field(description="Where the data is: exactly one place.")]
    format: Annotated[DataFormat | None, Field(description="Format of the files. Not for builtin data.")] = None
    idx: Annotated[IDXFiles | None, Field(description="File names, with format IDX.")] = None
    npz: Annotated[NPZArrays | None, Field(description="File and array names, with format NPZ.")] = None
    image_folder: Annotated[ImageFolder | None, Field(description="Folder names, with format ImageFolder.")] = None
    tf_record: Annotated[TFRecordFiles | None, Field(description="File and feature names, with format TFRecord.")] = None
    csv: Annotated[CSVFiles | None, Field(description="File and column names, with format CSV.")] = None
    image: Annotated[
        ImageSize | None,
        Field(
            description="Size and channels that images are brought to, with format ImageFolder or TFRecord. "
            "Default: as they are, all alike."
        ),
    ] = None
    normalization: Annotated[
        NormalizationType | None,
        Since(2),
        Field(
            description="What is done to the features of vectors, by the exported models too. Standardize: each feature minus "
            "its mean, divided by its standard deviation, both of the training samples, and at most 10 from 0. None: they stay "
            "as they are. Default: Standardize with format CSV, else None."
        ),
    ] = None
    label_gaps: Annotated[
        LabelGaps,
        Since(2),
        Field(
            description="What becomes of integer labels from 0 among which a number is missing, such as 0, 1, 3. Refuse: a "
            "label may be damaged, and the data is refused. Close: the labels become names of classes, which are numbered in "
            "their order."
        ),
    ] = LabelGaps.REFUSE
    damaged: Annotated[
        Damaged,
        Since(2),
        Field(
            description="With format ImageFolder or TFRecord, what is done about images that cannot be decoded: Refuse ends "
            "the run with their names; Skip leaves them out, and looks at all images before the training for that."
        ),
    ] = Damaged.REFUSE
    maximum_damaged: Annotated[
        int | None,
        Since(2),
        Field(
            ge=1,
            le=1_000_000,
            description="With damaged: Skip, so many images at most may be left out, for example 20. Default: 100.",
        ),
    ] = None
    validation_fraction: Annotated[
        PositiveFraction,
        Field(description="Part of the samples that is held out to measure progress, for example 0.1 for 10 %."),
    ] = 0.1
    test_fraction: Annotated[
        Fraction,
        Field(description="Part of the samples that is held out and judged once, at the end, for example 0.1."),
    ] = 0

    model_config = rules(
        rule(
            "has(self.source.builtin) != has(self.format)",
            "data.format is needed with data.source.persistentVolumeClaim and data.source.uri (IDX, NPZ, ImageFolder, TFRecord "
            "or CSV), and must be left out with data.source.builtin, whose format is known.",
        ),
        _only_with("idx", DataFormat.IDX),
        _only_with("npz", DataFormat.NPZ),
        _only_with("imageFolder", DataFormat.IMAGE_FOLDER),
        _only_with("tfRecord", DataFormat.TF_RECORD),
        _only_with("csv", DataFormat.CSV),
        rule(
            "!has(self.image) || (has(self.format) && self.format in ['ImageFolder', 'TFRecord'])",
            "data.image is only read with data.format ImageFolder and TFRecord: change format or remove image.",
        ),
        rule(
            "!has(self.damaged) || self.damaged == 'Refuse' || (has(self.format) && "
            "self.format in ['ImageFolder', 'TFRecord'])",
            "data.damaged Skip is about images, with data.format ImageFolder and TFRecord: change format or remove damaged.",
        ),
        rule(
            "!has(self.maximumDamaged) || (has(self.damaged) && self.damaged == 'Skip')",
            "data.maximumDamaged is only read with data.damaged Skip: set damaged to Skip or remove maximumDamaged.",
        ),
        rule(
            "!has(self.normalization) || self.normalization == 'None' || "
            "(has(self.format) && self.format != 'ImageFolder' && !has(self.image))",
            "data.normalization Standardize is for vectors of features, not for images: remove it, or set it to None.",
            field_path=".normalization",
        ),
        rule(
            "!has(self.format) || self.format != 'ImageFolder' || !has(self.source.uri) || "
            "!self.source.uri.startsWith('https://')",
            "'data.format ImageFolder needs a source that lists its files, but data.source.uri ' + self.source.uri + "
            "' is a web server: copy the images to a volume or an object store.'",
            computed=True,
        ),
        rule(
            "self.labelGaps == 'Refuse' || (has(self.format) && self.format != 'ImageFolder')",
            "data.labelGaps is only read with labels that may be integers, in IDX, NPZ, TFRecord and CSV: remove it.",
        ),
        rule(
            _FRACTIONS,
            "'data.validationFraction %s and data.testFraction %s leave no training data: their sum must be less than 1.'"
            ".format([self.validationFraction, self.testFraction])",
            computed=True,
        ),
    )
