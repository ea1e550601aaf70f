"""`spec.acceptance`: when the model is good enough to ship. A run whose model is not has failed."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from trainingrun.api.base import AS_NUMBER, Decimal, Frozen, rule, rules, up_to


class AcceptanceMetric(StrEnum):
    """Metrics that models are judged by, on the test samples, or the validation samples when there are none."""

    ACCURACY = "accuracy"
    LOSS = "loss"


class Acceptance(Frozen):
    """Conditions on the final model, all of which must hold."""

    metric: Annotated[AcceptanceMetric, Field(description="accuracy or loss of the final model.")] = AcceptanceMetric.ACCURACY
    minimum: Annotated[
        Annotated[float, Field(ge=0, le=1), AS_NUMBER] | None,
        Field(description="Smallest accuracy that is accepted, a fraction, for example 0.95."),
    ] = None
    maximum: Annotated[
        Decimal | None,
        Field(description="Largest loss that is accepted, for example 0.2.", json_schema_extra=up_to(1e9)),
    ] = None
    maximum_degradation: Annotated[
        Decimal | None,
        Field(
            description="How much worse than the trained model, before compression, the final one may be, for example "
            "0.01. Needs spec.compression.",
            json_schema_extra=up_to(1e9),
        ),
    ] = None
    maximum_gzipped_bytes: Annotated[
        int | None, Field(ge=1, description="Largest size of the final model, compressed with gzip, for example 100000.")
    ] = None

    model_config = rules(
        rule(
            "has(self.minimum) || has(self.maximum) || has(self.maximumDegradation) || has(self.maximumGzippedBytes)",
            "acceptance needs at least one of minimum, maximum, maximumDegradation and maximumGzippedBytes.",
        ),
        rule(
            "!has(self.minimum) || self.metric == 'accuracy'",
            "'acceptance.minimum %s is for metric accuracy, but acceptance.metric is loss: change the metric, or use maximum.'"
            ".format([self.minimum])",
            field_path=".minimum",
            computed=True,
        ),
        rule(
            "!has(self.maximum) || self.metric == 'loss'",
            "'acceptance.maximum %s is for metric loss, but acceptance.metric is accuracy: change the metric, or use minimum.'"
            ".format([self.maximum])",
            field_path=".maximum",
            computed=True,
        ),
        rule(
            "!has(self.maximumDegradation) || self.metric != 'accuracy' || self.maximumDegradation < 1.0",
            "'acceptance.maximumDegradation %s must be below 1 with metric accuracy, which is a fraction: 0.01 is one point.'"
            ".format([self.maximumDegradation])",
            field_path=".maximumDegradation",
            computed=True,
        ),
    )
