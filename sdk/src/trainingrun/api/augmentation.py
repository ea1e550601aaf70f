"""`spec.augmentation`: random changes of the training images, new in every epoch."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from trainingrun.api.base import Decimal, Frozen, Rule, rule, rules


class FillMode(StrEnum):
    """What is drawn where a moved image leaves a gap."""

    NEAREST = "Nearest"
    CONSTANT = "Constant"
    REFLECT = "Reflect"
    WRAP = "Wrap"


def _below_one(field: str) -> Rule:
    return rule(
        f"double(self.{field}) < 1.0",
        f"'augmentation.{field} ' + self.{field} + ' must be below 1: it is a fraction of the image.'",
        field_path=f".{field}",
        computed=True,
    )


def _at_most_180(field: str) -> Rule:
    return rule(
        f"double(self.{field}) <= 180.0",
        f"'augmentation.{field} ' + self.{field} + ' must be at most 180 degrees.'",
        field_path=f".{field}",
        computed=True,
    )


class Augmentation(Frozen):
    """Ranges of the random changes; each image draws from [-value, value]. Zero switches a change off.

    The meaning of rotation, shifts, shear, zoom and flip is that of Keras' ImageDataGenerator (shear is in degrees).
    """

    rotation_degrees: Annotated[Decimal, Field(description="Rotation, in degrees, for example 20.")] = "0"
    width_shift: Annotated[Decimal, Field(description="Horizontal shift, as a fraction of the width.")] = "0"
    height_shift: Annotated[Decimal, Field(description="Vertical shift, as a fraction of the height.")] = "0"
    shear_degrees: Annotated[Decimal, Field(description="Shear angle, in degrees, for example 11.")] = "0"
    zoom: Annotated[Decimal, Field(description="Zoom factor from [1 - value, 1 + value], per axis.")] = "0"
    crop: Annotated[
        Decimal, Field(description="Random crop: fraction of each side that is cut away; the rest is scaled back.")
    ] = "0"
    horizontal_flip: Annotated[
        bool, Field(description="Mirror half of the images. Not for digits or letters: they change their meaning.")
    ] = False
    fill_mode: Annotated[FillMode, Field(description="What fills the gaps at the border.")] = FillMode.NEAREST

    model_config = rules(
        _at_most_180("rotationDegrees"),
        rule(
            "double(self.shearDegrees) < 90.0",
            "'augmentation.shearDegrees ' + self.shearDegrees + ' must be below 90 degrees.'",
            field_path=".shearDegrees",
            computed=True,
        ),
        _below_one("widthShift"),
        _below_one("heightShift"),
        _below_one("zoom"),
        _below_one("crop"),
    )
