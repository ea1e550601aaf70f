"""`spec.compression`: a smaller model by pruning and quantization, fine-tuned by all ranks."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from trainingrun.api.base import Fraction, Frozen, Positive, PositiveFraction, rule, rules, up_to


class Allocation(StrEnum):
    """How the zeros are shared among the layers that are pruned."""

    ADAPTIVE = "Adaptive"
    UNIFORM = "Uniform"


class Pruning(Frozen):
    """Weights of small magnitude become zero, step by step, while the network goes on training."""

    final_sparsities: Annotated[
        tuple[PositiveFraction, ...],
        Field(
            min_length=1,
            max_length=4,
            description="Fractions of the pruned layers' weights that become zero, for example 0.8 and 0.9. Each gives a "
            "model of its own; the smallest that is accepted is the result.",
            json_schema_extra={"x-kubernetes-list-type": "set"},
        ),
    ] = (0.8,)
    initial_sparsity: Annotated[
        Fraction, Field(description="Fraction that is zero from the first step on, for example 0.5.")
    ] = 0
    allocation: Annotated[
        Allocation,
        Field(
            description="How the zeros are shared among the pruned layers. Adaptive: the less a layer needs its weights, the "
            "more of them become zero; all layers together have the sparsity asked for. Uniform: each layer has it."
        ),
    ] = Allocation.ADAPTIVE
    epochs: Annotated[int, Field(ge=1, le=100000, description="Epochs of fine-tuning for each sparsity.")] = 10
    frequency: Annotated[
        int, Field(ge=1, le=100000, description="Steps between two updates of the masks; smaller when the epochs are short.")
    ] = 100
    learning_rate: Annotated[
        Positive | None,
        Field(
            description="Learning rate of fine-tuning, for example 0.001, before scaling, which is by the square root at most "
            "but with SGD; the "
            "rate rises to it for a twentieth of the steps and falls along a cosine. Default: five times that of training, on "
            "all ranks together no more than 0.005 or than training's own before scaling; with SGD that of training.",
            json_schema_extra=up_to(1000),
        ),
    ] = None
    skip_layers: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=63)], ...],
        Field(
            max_length=64,
            description="Layers that keep all their weights: First, Last, or names of layers.",
            json_schema_extra={"x-kubernetes-list-type": "set"},
        ),
    ] = ()

    model_config = rules(
        rule(
            "self.finalSparsities.all(s, self.initialSparsity < s)",
            "'compression.pruning.initialSparsity %s must be below every value of finalSparsities.'"
            ".format([self.initialSparsity])",
            field_path=".initialSparsity",
            computed=True,
        ),
    )


class QuantizationMode(StrEnum):
    """What weights and activations become."""

    FLOAT16 = "Float16"
    DYNAMIC_RANGE = "DynamicRange"
    INT8 = "Int8"
    INT8_AWARE = "Int8Aware"


class Quantization(Frozen):
    """Fewer bits per number, as a TFLite model."""

    mode: Annotated[
        QuantizationMode,
        Field(
            description="Float16: weights in 16 bits. DynamicRange: weights in 8 bits, computed in floats. Int8: all in 8 "
            "bits, input and output too, calibrated on training samples. Int8Aware: as Int8, after fine-tuning that knows it."
        ),
    ] = QuantizationMode.INT8
    # No defaults in the schema: a field that somebody has written can be told from one that is left out.
    calibration_samples: int = Field(
        default_factory=lambda: 200,
        ge=1,
        le=100000,
        description="Training samples that Int8 and Int8Aware take the ranges of their numbers from; all, where there are "
        "fewer. Where left out: 200.",
    )
    epochs: int = Field(
        default_factory=lambda: 2,
        ge=1,
        le=100000,
        description="Epochs of fine-tuning with Int8Aware. Where left out: 2.",
    )

    model_config = rules(
        rule(
            "!has(self.calibrationSamples) || self.mode in ['Int8', 'Int8Aware']",
            "'compression.quantization.calibrationSamples is only read with mode Int8 and Int8Aware, but mode is ' + self.mode "
            "+ ': remove it or change the mode.'",
            field_path=".calibrationSamples",
            computed=True,
        ),
        rule(
            "!has(self.epochs) || self.mode == 'Int8Aware'",
            "'compression.quantization.epochs is only read with mode Int8Aware, but mode is ' + self.mode + ': remove it or "
            "change the mode.'",
            field_path=".epochs",
            computed=True,
        ),
    )


class Compression(Frozen):
    """Pruning, quantization or both, in this order."""

    pruning: Annotated[Pruning | None, Field(description="Small weights become zero.")] = None
    quantization: Annotated[Quantization | None, Field(description="Fewer bits per number, as a TFLite model.")] = None

    model_config = rules(
        rule(
            "has(self.pruning) || has(self.quantization)",
            "compression needs pruning, quantization or both: add one, or remove compression.",
        ),
    )
