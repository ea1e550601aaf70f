"""`spec.augmentation`: random changes of the training images, new in every epoch."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from trainingrun.api.base import AS_NUMBER, Fraction, Frozen


class FillMode(StrEnum):
    """What is drawn where a moved image leaves a gap."""

    NEAREST = "Nearest"
    CONSTANT = "Constant"
    REFLECT = "Reflect"
    WRAP = "Wrap"


class Augmentation(Frozen):
    """Ranges of the random changes; each image draws from [-value, value]. Zero switches a change off.

    The meaning of rotation, shifts, shear, zoom and flip is that of Keras' ImageDataGenerator (shear is in degrees).
    """

    rotation_degrees: Annotated[
        Annotated[float, Field(ge=0, le=180), AS_NUMBER],
        Field(description="Rotation, in degrees, for example 20: each image turns by -20 to 20."),
    ] = 0
    width_shift: Annotated[Fraction, Field(description="Horizontal shift, as a fraction of the width, for example 0.1.")] = 0
    height_shift: Annotated[Fraction, Field(description="Vertical shift, as a fraction of the height, for example 0.1.")] = 0
    shear_degrees: Annotated[
        Annotated[float, Field(ge=0, lt=90), AS_NUMBER], Field(description="Shear angle, in degrees, for example 11.")
    ] = 0
    zoom: Annotated[Fraction, Field(description="Zoom factor from [1 - value, 1 + value], per axis, for example 0.2.")] = 0
    crop: Annotated[
        Fraction,
        Field(description="Random crop: fraction of each side that is cut away, for example 0.1; the rest is scaled back."),
    ] = 0
    horizontal_flip: Annotated[
        bool, Field(description="Mirror half of the images. Not for digits or letters: they change their meaning.")
    ] = False
    fill_mode: Annotated[FillMode, Field(description="What fills the gaps at the border.")] = FillMode.NEAREST
