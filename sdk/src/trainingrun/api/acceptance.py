"""`spec.acceptance`: when the model is good enough to ship. A run whose model is not has failed."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from trainingrun.api.base import Decimal, Frozen, rule, rules


class AcceptanceMetric(StrEnum):
    """Metrics that models are judged by, on the test samples, or the validation samples when there are none."""

    ACCURACY = "accuracy"
    LOSS = "loss"


class Acceptance(Frozen):
    """Conditions on the final model, all of which must hold."""

    metric: Annotated[AcceptanceMetric, Field(description="accuracy or loss.")] = AcceptanceMetric.ACCURACY
    minimum: Annotated[Decimal | None, Field(description="Smallest accuracy that is accepted.")] = None
    maximum: Annotated[Decimal | None, Field(description="Largest loss that is accepted.")] = None
    maximum_degradation: Annotated[
        Decimal | None,
        Field(
            description="How much worse than the trained model, before compression, the final one may be, for example "
            "0.01. Needs spec.compression."
        ),
    ] = None
    maximum_gzipped_bytes: Annotated[
        int | None, Field(ge=1, description="Largest size of the final model, compressed with gzip.")
    ] = None

    model_config = rules(
        rule(
            "has(self.minimum) || has(self.maximum) || has(self.maximumDegradation) || has(self.maximumGzippedBytes)",
            "acceptance needs at least one of minimum, maximum, maximumDegradation and maximumGzippedBytes.",
        ),
        rule(
            "!has(self.minimum) || self.metric == 'accuracy'",
            "'acceptance.minimum ' + self.minimum + ' is for metric accuracy, but acceptance.metric is loss: change the "
            "metric, or use maximum.'",
            field_path=".minimum",
            computed=True,
        ),
        rule(
            "!has(self.maximum) || self.metric == 'loss'",
            "'acceptance.maximum ' + self.maximum + ' is for metric loss, but acceptance.metric is accuracy: change the "
            "metric, or use minimum.'",
            field_path=".maximum",
            computed=True,
        ),
        rule(
            "!has(self.minimum) || double(self.minimum) <= 1.0",
            "'acceptance.minimum ' + self.minimum + ' must be at most 1: accuracy is a fraction.'",
            field_path=".minimum",
            computed=True,
        ),
        rule(
            "!has(self.maximumDegradation) || self.metric != 'accuracy' || double(self.maximumDegradation) < 1.0",
            "'acceptance.maximumDegradation ' + self.maximumDegradation + ' must be below 1 with metric accuracy, which is a "
            "fraction: 0.01 is one point.'",
            field_path=".maximumDegradation",
            computed=True,
        ),
    )
