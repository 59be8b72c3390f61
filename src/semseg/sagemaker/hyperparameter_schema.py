"""The hyperparameters of SageMaker's Semantic Segmentation: one declaration for each.

Names, ranges and dependencies are those of AWS's documentation
(https://docs.aws.amazon.com/sagemaker/latest/dg/segmentation-hyperparameters.html). Those with a
leading underscore, and precision_dtype, are the original container's undocumented ones. Defaults
stand in ``default-input.json``; here stand only those which that file lacks.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import ValidationInfo

from semseg.sagemaker.hyperparameter_rules import (
    AutoOr,
    Epochs,
    Flag,
    Integer,
    Number,
    OneOf,
    Rule,
    Text,
)

CROP_MULTIPLE = 8

MOST_CLASSES = 254  # and 255 is "ignore"


class Hyperparameters(BaseModel):
    """What a job is told, checked and typed; the order is that of the documentation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    backbone: Annotated[str, OneOf("resnet-50", "resnet-101")] = Field(
        description="The encoder network."
    )
    use_pretrained_model: Annotated[bool, Flag()] = Field(
        description="Start from ImageNet weights of the backbone; the decoder always starts anew."
    )
    algorithm: Annotated[str, OneOf("fcn", "psp", "deeplab")] = Field(
        description="The network: FCN, Pyramid Scene Parsing, or DeepLab V3."
    )
    num_classes: Annotated[int, Integer(2, MOST_CLASSES)] = Field(
        description="How many classes the masks tell apart, background included."
    )
    num_training_samples: Annotated[int, Integer(1)] = Field(
        description="How many training images there are; sets up the learning rate schedule."
    )
    base_size: Annotated[int, Integer(17)] = Field(
        default=520,
        description="Before cropping, the long side becomes this times a random 0.5 to 2.0.",
    )
    crop_size: Annotated[int, Integer(17)] = Field(
        description="Side of the random square crop; rounded up to a multiple of 8."
    )
    early_stopping: Annotated[bool, Flag()] = Field(
        description="Stop when validation mIOU no longer improves."
    )
    early_stopping_min_epochs: Annotated[int, Integer(0)] = Field(
        description="Never stop before this many epochs."
    )
    early_stopping_patience: Annotated[int, Integer(1)] = Field(
        description="How many epochs without improvement end the job."
    )
    early_stopping_tolerance: Annotated[float, Number()] = Field(
        description="A relative gain of mIOU below this is no improvement."
    )
    epochs: Annotated[int, Integer(1)] = Field(
        description="How often the training set is gone through."
    )
    gamma1: Annotated[float, Number()] = Field(
        description="Decay of the squared gradient's average (rmsprop only)."
    )
    gamma2: Annotated[float, Number()] = Field(description="Momentum (rmsprop only).")
    learning_rate: Annotated[float, Number(zero=False)] = Field(
        description="Learning rate at the start."
    )
    lr_scheduler: Annotated[str, OneOf("step", "poly", "cosine")] = Field(
        description="How the learning rate falls."
    )
    lr_scheduler_factor: Annotated[float, Number()] = Field(
        description="Multiplies the learning rate at each step (step only)."
    )
    lr_scheduler_step: Annotated[tuple[int, ...], Epochs()] = Field(
        default=(),
        validate_default=True,
        description="The epochs after which the learning rate is multiplied (step only).",
    )
    mini_batch_size: Annotated[int, Integer(1)] = Field(
        description="Images in a training batch; of several hosts, each takes so many."
    )
    momentum: Annotated[float, Number(zero=False)] = Field(description="Momentum (sgd only).")
    optimizer: Annotated[str, OneOf("adam", "adagrad", "nag", "rmsprop", "sgd", "adadelta")] = (
        Field(description="The optimizer; adadelta is known from AWS's tuning page only.")
    )
    syncbn: Annotated[bool, Flag()] = Field(
        description="Batch normalization over the batches of all GPUs together."
    )
    validation_mini_batch_size: Annotated[int, Integer(1)] = Field(
        description="Images in a validation batch; 1 scores whole images, more score centre crops."
    )
    weight_decay: Annotated[float, Number(zero=False, one=False)] = Field(
        description="Weight decay (sgd only)."
    )

    precision_dtype: Annotated[str, OneOf("float32")] = Field(description="Number format.")
    kvstore: Annotated[str, OneOf("local", "device", "nccl")] = Field(
        alias="_kvstore", description="Where gradients of several devices are summed."
    )
    num_kv_servers: Annotated[int | None, AutoOr(Integer(1))] = Field(
        alias="_num_kv_servers",
        description="How many of several hosts add up gradients; auto: all of them.",
    )
    workers: Annotated[int, Integer(0)] = Field(
        alias="_workers", description="At most this many workers load images."
    )
    aux_loss: Annotated[bool, Flag()] = Field(
        alias="_aux_loss", description="Train the auxiliary head too."
    )
    aux_weight: Annotated[float, Number()] = Field(
        alias="_aux_weight", description="Weight of the auxiliary loss."
    )
    hybrid: Annotated[bool, Flag()] = Field(
        alias="_hybrid",
        description="Without effect: the network is compiled wherever syncbn allows it.",
    )
    augmentation_type: Annotated[str, OneOf("default")] = Field(
        alias="_augmentation_type", description="Which augmentation is used."
    )
    logging_frequency: Annotated[int, Integer(1)] = Field(
        alias="_logging_frequency", description="Iterations between two progress lines."
    )
    tuning_objective_metric: Annotated[str | None, Text()] = Field(
        default=None,
        alias="_tuning_objective_metric",
        description="Set by SageMaker in tuning jobs; of no effect here.",
    )

    seed: Annotated[int | None, Integer(0, 2**31 - 1)] = Field(
        default=None, description="Makes a run repeatable; not in AWS's algorithm."
    )
    quantize: Annotated[bool, Flag()] = Field(
        default=False,
        description="Calibrate the best model for serving in int8; not in AWS's algorithm.",
    )

    @field_validator("crop_size")
    @classmethod
    def _round_up(cls, crop_size: int) -> int:
        return -(-crop_size // CROP_MULTIPLE) * CROP_MULTIPLE

    @field_validator("lr_scheduler_step")
    @classmethod
    def _steps_where_needed(cls, steps: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
        if not steps and info.data.get("lr_scheduler") == "step":
            because = {"because": " because lr_scheduler is step"}
            raise PydanticCustomError("missing", "needed{because}", because)
        return steps


def fields_by_name() -> dict[str, str]:
    """The model's field by the name SageMaker sends, which may begin with an underscore."""
    return {info.alias or field: field for field, info in Hyperparameters.model_fields.items()}


def rule_of(name: str) -> Rule:
    """The rule that the hyperparameter of SageMaker's `name` follows."""
    metadata = Hyperparameters.model_fields[fields_by_name()[name]].metadata
    return next(item for item in metadata if isinstance(item, Rule))
