"""The README's table of hyperparameters, made from their declarations."""

from pydantic_core import PydanticUndefined

from semseg.sagemaker.hyperparameter_schema import Hyperparameters, fields_by_name, rule_of
from semseg.sagemaker.hyperparameters import defaults

_DEFAULT_IN_WORDS = {
    "num_classes": "**required**",
    "num_training_samples": "**required**",
    "lr_scheduler_step": "**required** when lr_scheduler is step",
}


def hyperparameter_table() -> str:
    """Markdown: name, allowed values, default and meaning of every hyperparameter."""
    original = defaults()
    rows = ["| name | values | default | meaning |", "| --- | --- | --- | --- |"]
    for name, field in fields_by_name().items():
        info = Hyperparameters.model_fields[field]
        default = _DEFAULT_IN_WORDS.get(name) or _code(original.get(name, info.default))
        rows.append(f"| `{name}` | {rule_of(name).allowed} | {default} | {info.description} |")
    return "\n".join(rows) + "\n"


def _code(default: object) -> str:
    return "none" if default in (None, PydanticUndefined) else f"`{default}`"
