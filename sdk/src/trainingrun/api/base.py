"""What all API models share: frozen camelCase models, decimal numbers, Kubernetes scalars and CEL rules."""

import decimal as exact
from datetime import UTC, datetime
from math import isfinite
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    JsonValue,
    PlainSerializer,
    SerializationInfo,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema, core_schema

from trainingrun.contract_version import told

DECIMAL_PATTERN = r"^[0-9]+(\.[0-9]+)?(e-?[0-9]{1,2})?$"
"""A decimal number as text, as the contract writes it: every image so far reads no other."""
AUTO = "Auto"
"""A value that the trainer finds by measuring, before it trains."""
AUTO_PATTERN = f"^{AUTO}$"
DECIMAL_OR_AUTO_PATTERN = f"{AUTO_PATTERN}|{DECIMAL_PATTERN}"
_MANIFEST: Final = "manifest"
QUANTITY_PATTERN = r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$"


Rule = dict[str, JsonValue]
"""One entry of `x-kubernetes-validations`."""


class Frozen(BaseModel):
    """A value that is parsed once, never changed, and written in camelCase.

    Unknown fields are refused: what the API accepts, the product does.
    """

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="forbid")


class Tolerant(Frozen):
    """A frozen value that may come from a newer version: unknown fields are ignored."""

    model_config = ConfigDict(extra="ignore")


def rules(*cel: Rule) -> ConfigDict:
    """The model configuration that attaches CEL rules to a model's schema in the CRD."""
    return ConfigDict(json_schema_extra={"x-kubernetes-validations": list(cel)})


def rule(expression: str, message: str, *, field_path: str | None = None, computed: bool = False) -> Rule:
    """One CEL rule; `message` is a sentence, or a CEL expression that makes one when `computed`."""
    made: Rule = {"rule": expression, "messageExpression" if computed else "message": message}
    if field_path is not None:
        made["fieldPath"] = field_path
    return made


class Number(float):
    """A decimal number that prints as people write it: 0.001, 20, 1e-9."""

    def __str__(self) -> str:
        """Text that matches DECIMAL_PATTERN, and is read as the same number."""
        shortest = float.__repr__(max(self, 1e-99) if self > 0 else 0.0)
        if 1e-6 <= self < 1e15:
            shortest = format(exact.Decimal(shortest), "f")
        digits, _, exponent = shortest.partition("e")
        return digits.removesuffix(".0") + (f"e{int(exponent)}" if exponent else "")

    __repr__ = __str__


def number(value: str | float) -> Number:
    """The value of a decimal number, or of a text such as `0.001` or `1e-4`."""
    return Number(value)


def is_manifest(info: SerializationInfo) -> bool:
    """Whether a value is written for the API server, by `to_manifest`, and not for a trainer."""
    return bool(info.context and info.context.get(_MANIFEST))


OBJECT_NAME = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
"""Regular expression of a DNS subdomain, without anchors."""

ObjectName = Annotated[str, Field(pattern=f"^{OBJECT_NAME}$", min_length=1, max_length=253)]
"""The name of a Kubernetes object."""


def _told(value: float | str, info: SerializationInfo) -> Any:
    """A number in a manifest, and text in the contract, as it always was there."""
    return value if isinstance(value, str) or is_manifest(info) else str(Number(value))


class _AsNumber:
    """Annotates a decimal number after its bounds: one that prints well, and is text in the contract."""

    def __init__(self, pattern: str) -> None:
        self._text = {"type": "string", "pattern": pattern, "maxLength": 24}

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        told = core_schema.plain_serializer_function_ser_schema(_told, info_arg=True, when_used="json")
        return core_schema.no_info_after_validator_function(_printing_well, handler(source), serialization=told)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return dict(self._text) if handler.mode == "serialization" else handler(schema)


def _printing_well(value: float | str) -> float | str:
    return Number(value) if isinstance(value, float) else value


AS_NUMBER = _AsNumber(DECIMAL_PATTERN)
AS_NUMBER_OR_AUTO = _AsNumber(DECIMAL_OR_AUTO_PATTERN)

Decimal = Annotated[float, Field(ge=0, allow_inf_nan=False), AS_NUMBER]
"""A decimal number that is not negative; text such as `0.5` is read too, here and of those below."""
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False), AS_NUMBER]
"""A decimal number above 0."""
Fraction = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False), AS_NUMBER]
"""A decimal number from 0 to below 1."""
PositiveFraction = Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False), AS_NUMBER]
"""A decimal number above 0 and below 1."""


def up_to(most: float) -> dict[str, JsonValue]:
    """A bound that the API server alone checks: a trainer reads what an earlier one was told."""
    return {"maximum": most}


Quantity = Annotated[
    str,
    BeforeValidator(str),
    Field(pattern=QUANTITY_PATTERN, max_length=24),
    WithJsonSchema(
        {
            "anyOf": [{"type": "integer"}, {"type": "string"}],
            "pattern": QUANTITY_PATTERN,
            "maxLength": 24,
            "x-kubernetes-int-or-string": True,
        }
    ),
]
"""A Kubernetes quantity, for example `500m` or `2Gi`; an integer is accepted too."""


NUMBER_PATTERN = r"^-?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]{1,3})?$"
"""A measured number as a string; `nan` and `inf` are none."""


def decimal(value: float) -> str:
    """A measured number with four digits after the point, as `MetricValue` and the like hold it; raises ValueError for nan."""
    if not isfinite(value):
        raise ValueError(f"{value} is no number")
    return f"{value:.4f}" if abs(value) < 1e15 else f"{value:.4e}"


def cut(text: str, most: int) -> str:
    """The text, or its beginning and an ellipsis, so many characters in all."""
    return text if len(text) <= most else text[: most - 1] + "…"


def cut_bytes(text: str, most: int) -> str:
    """The text, or its beginning and an ellipsis, so many bytes of UTF-8 in all."""
    encoded = text.encode(errors="replace")
    if len(encoded) <= most:
        return encoded.decode()
    return encoded[: most - len("…".encode())].decode(errors="ignore") + "…"


def shortened(most: int) -> BeforeValidator:
    """For texts that people read, whose beginning says most: they are cut to so many characters instead of refused."""
    return BeforeValidator(lambda text: cut(text, most) if isinstance(text, str) else text)


def in_utc(moment: datetime) -> datetime:
    """A moment that can be compared with others and written; raises ValueError for one without a zone, or before 1970."""
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone, for example Z")
    try:
        same = moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{moment} is out of range in UTC") from None
    if same.year < 1970:
        raise ValueError(f"{moment} is before 1970")
    return same


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


Timestamp = Annotated[
    datetime,
    AfterValidator(in_utc),
    PlainSerializer(_rfc3339, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A moment in UTC, whole seconds, as Kubernetes writes it."""


class MetricValue(Tolerant):
    """A named measurement, its value a decimal string."""

    name: Annotated[str, Field(max_length=63, description="Name of the metric, for example val_accuracy.")]
    value: Annotated[
        str, Field(max_length=24, pattern=NUMBER_PATTERN, description="Value as a decimal string, for example 0.9731.")
    ]


class CheckpointPosition(Tolerant):
    """How far the newest durable checkpoint goes."""

    stage: Annotated[str, Field(max_length=32, description="Stage the checkpoint belongs to.")]
    epoch: Annotated[int, Field(ge=0, description="Finished epochs of the stage.")] = 0
    step: Annotated[int, Field(ge=0, description="Optimizer steps done.")] = 0


def to_wire(value: BaseModel) -> dict[str, Any]:
    """The JSON form of a model: camelCase, without unset fields."""
    return value.model_dump(mode="json", by_alias=True, exclude_none=True)


def to_manifest(value: BaseModel) -> dict[str, Any]:
    """The JSON form that the API server takes: numbers as numbers, parameters as a map."""
    return value.model_dump(mode="json", by_alias=True, exclude_none=True, context={_MANIFEST: True})


def to_sparse_wire(value: BaseModel) -> dict[str, Any]:
    """The same, without what an image of any version takes for so where it is not said: most defaults."""
    return told(value, value.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True))
