import ast
import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pydantic
import pytest

from semseg.sagemaker.errors import CustomerError
from semseg.sagemaker.hyperparameter_schema import fields_by_name, rule_of
from semseg.sagemaker.hyperparameters import (
    DEFAULT_FILE,
    Configuration,
    Hyperparameters,
    defaults,
    read_hyperparameters,
)

REQUIRED = {"num_classes": "21", "num_training_samples": "1464"}
WriteConfig = Callable[[str, Any], Path]
Messages = Callable[[Callable[[], object]], list[str]]

DOCUMENTED = [
    *("backbone", "use_pretrained_model", "algorithm", "num_classes", "num_training_samples"),
    *("base_size", "crop_size", "early_stopping", "early_stopping_min_epochs"),
    *("early_stopping_patience", "early_stopping_tolerance", "epochs", "gamma1", "gamma2"),
    *("learning_rate", "lr_scheduler", "lr_scheduler_factor", "lr_scheduler_step"),
    *("mini_batch_size", "momentum", "optimizer", "syncbn", "validation_mini_batch_size"),
    "weight_decay",
]
UNDOCUMENTED = [
    *("precision_dtype", "_kvstore", "_num_kv_servers", "_workers", "_aux_loss", "_aux_weight"),
    *("_hybrid", "_augmentation_type", "_logging_frequency", "_tuning_objective_metric"),
]
OUR_OWN = ["seed", "quantize"]


def configure(**provided: Any) -> Hyperparameters:
    return Configuration.merge(defaults(), REQUIRED | provided).hyperparameters


def complaints(**provided: Any) -> list[str]:
    """The lines about single problems."""
    with pytest.raises(CustomerError) as raised:
        configure(**provided)
    return str(raised.value).splitlines()[1:]


def test_all_parameters_are_there_in_the_order_of_the_documentation() -> None:
    assert len(DOCUMENTED) == 24
    assert list(fields_by_name()) == DOCUMENTED + UNDOCUMENTED + OUR_OWN


def test_the_defaults_are_those_of_the_documentation() -> None:
    parameters = configure()
    assert parameters.model_dump() == {
        "backbone": "resnet-50",
        "use_pretrained_model": True,
        "algorithm": "fcn",
        "num_classes": 21,
        "num_training_samples": 1464,
        "base_size": 520,
        "crop_size": 240,
        "early_stopping": False,
        "early_stopping_min_epochs": 5,
        "early_stopping_patience": 4,
        "early_stopping_tolerance": 0.0,
        "epochs": 10,
        "gamma1": 0.9,
        "gamma2": 0.9,
        "learning_rate": 0.001,
        "lr_scheduler": "poly",
        "lr_scheduler_factor": 0.1,
        "lr_scheduler_step": (),
        "mini_batch_size": 16,
        "momentum": 0.9,
        "optimizer": "sgd",
        "syncbn": False,
        "validation_mini_batch_size": 16,
        "weight_decay": 0.0001,
        "precision_dtype": "float32",
        "kvstore": "device",
        "num_kv_servers": None,
        "workers": 16,
        "aux_loss": True,
        "aux_weight": 0.5,
        "hybrid": False,
        "augmentation_type": "default",
        "logging_frequency": 20,
        "tuning_objective_metric": None,
        "seed": None,
        "quantize": False,
    }


def test_the_object_is_frozen() -> None:
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        configure().epochs = 3  # type: ignore[misc]  # that is what is tried


@pytest.mark.parametrize(
    ("name", "allowed", "refused"),
    [
        ("backbone", ["resnet-50", "resnet-101"], ["resnet-18", "ResNet-50", "resnet50"]),
        ("use_pretrained_model", ["True", "false", "TRUE"], ["yes", "1", ""]),
        ("algorithm", ["fcn", "psp", "deeplab"], ["deeplabv3", "unet"]),
        ("num_classes", ["2", "254"], ["1", "255", "-2", "2.0"]),
        ("num_training_samples", ["1", "1000000"], ["0", "-1"]),
        ("base_size", ["17", "520"], ["16", "0", "-520"]),
        ("crop_size", ["17", "240"], ["16", "240.0"]),
        ("early_stopping", ["True", "False"], ["on"]),
        ("early_stopping_min_epochs", ["0", "5"], ["-1"]),
        ("early_stopping_patience", ["1", "4"], ["0", "-1"]),
        ("early_stopping_tolerance", ["0", "0.0", "1"], ["-0.01", "1.01", "nan"]),
        ("epochs", ["1", "500"], ["0", "-1", "1.5", "ten"]),
        ("gamma1", ["0", "1"], ["-0.1", "1.1", "inf"]),
        ("gamma2", ["0", "1"], ["-0.1", "1.1", "nan"]),
        ("learning_rate", ["1e-6", "1"], ["0", "1.1", "-0.1", "nan"]),
        ("lr_scheduler", ["poly", "cosine"], ["linear", "Poly"]),
        ("lr_scheduler_factor", ["0", "1"], ["-0.1", "2"]),
        ("lr_scheduler_step", ["10, 20", "10,20", "5"], ["0", "ten", "10;20", "-5"]),
        ("mini_batch_size", ["1", "128"], ["0", "-16"]),
        ("momentum", ["0.001", "1"], ["0", "1.1"]),
        ("optimizer", ["adam", "adagrad", "nag", "rmsprop", "sgd", "adadelta"], ["SGD", "lamb"]),
        ("syncbn", ["true", "FALSE"], ["2"]),
        ("validation_mini_batch_size", ["1", "16"], ["0"]),
        ("weight_decay", ["1e-9", "0.999"], ["0", "1", "1.0"]),
        ("precision_dtype", ["float32"], ["float64"]),
        ("_kvstore", ["local", "device"], ["dist_sync", ""]),
        ("_num_kv_servers", ["auto", "2"], ["0", "many"]),
        ("_workers", ["0", "16"], ["-1"]),
        ("_aux_loss", ["True", "False"], ["0.5"]),
        ("_aux_weight", ["0", "0.4", "1"], ["-1", "2"]),
        ("_hybrid", ["True", "False"], ["maybe"]),
        ("_augmentation_type", ["default"], ["strong"]),
        ("_logging_frequency", ["1", "20"], ["0"]),
        ("_tuning_objective_metric", ["validation:mIOU", ""], [None]),
        ("seed", ["0", "2147483647"], ["-1", "2147483648", "x"]),
        ("quantize", ["True", "False"], ["int8"]),
    ],
)
def test_the_ends_of_every_range(name: str, allowed: list[str], refused: list[Any]) -> None:
    for value in allowed:
        configure(**{name: value})
    for value in refused:
        (complaint,) = complaints(**{name: value})
        shown = "null" if value is None else repr(value)
        assert complaint == f"{name}: found {shown}, allowed: {rule_of(name).allowed}"


@pytest.mark.parametrize(
    ("given", "rounded"), [("17", 24), ("24", 24), ("240", 240), ("241", 248), ("250", 256)]
)
def test_crop_size_is_rounded_up_to_a_multiple_of_8(given: str, rounded: int) -> None:
    configuration = Configuration.merge(defaults(), REQUIRED | {"crop_size": given})
    assert configuration.hyperparameters.crop_size == rounded
    assert configuration.final["crop_size"] == given


def test_numbers_and_booleans_of_json_count_as_their_text() -> None:
    provided = {"epochs": 3, "learning_rate": 0.5, "syncbn": True, "num_classes": 2}
    configuration = Configuration.merge(defaults(), REQUIRED | provided)
    parameters = configuration.hyperparameters
    assert (parameters.epochs, parameters.learning_rate, parameters.syncbn) == (3, 0.5, True)
    assert [configuration.final[name] for name in provided] == ["3", "0.5", "True", "2"]


def test_whitespace_is_tolerated_and_not_handed_on() -> None:
    configuration = Configuration.merge(defaults(), REQUIRED | {"algorithm": " psp\n"})
    assert configuration.hyperparameters.algorithm == "psp"
    assert configuration.final["algorithm"] == "psp"


@pytest.mark.parametrize("absent", ["num_classes", "num_training_samples"])
def test_what_is_required_is_asked_for(absent: str) -> None:
    provided = {name: value for name, value in REQUIRED.items() if name != absent}
    with pytest.raises(CustomerError) as raised:
        Configuration.merge(defaults(), provided)
    assert str(raised.value) == (
        f"hyperparameters.json: 1 problem ({absent})\n"
        f"{absent}: no value was specified; required: {rule_of(absent).allowed}"
    )


@pytest.mark.parametrize("steps", [{}, {"lr_scheduler_step": ""}, {"lr_scheduler_step": "  "}])
def test_the_step_schedule_needs_its_steps(steps: dict[str, str]) -> None:
    assert complaints(lr_scheduler="step", **steps) == [
        "lr_scheduler_step: no value was specified; required because lr_scheduler is step: "
        "a comma-separated list of epochs, such as 10, 20"
    ]
    assert configure(lr_scheduler="step", lr_scheduler_step="20, 10").lr_scheduler_step == (10, 20)
    assert configure(lr_scheduler="poly", **steps).lr_scheduler_step == ()


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("optimzer", "; did you mean 'optimizer'?"),
        ("mini_batch_siz", "; did you mean 'mini_batch_size'?"),
        ("workers", "; did you mean '_workers'?"),
        ("Crop-Size", "; did you mean 'crop_size'?"),
        ("zzzzz", ""),
        (
            "image_shape",
            ", although AWS's memory notes mention it: crop_size sets the size of images",
        ),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_known_one(name: str, hint: str) -> None:
    assert complaints(**{name: "7"}) == [
        f"{name}: found '7', but this algorithm has no such hyperparameter{hint}"
    ]


def test_all_problems_are_in_one_message_which_begins_with_a_summary() -> None:
    provided = {"epochs": "0", "optimzer": "adam", "lr_scheduler": "step", "num_classes": "300"}
    with pytest.raises(CustomerError) as raised:
        Configuration.merge(defaults(), provided)
    summary, *lines = str(raised.value).splitlines()
    names = ["num_classes", "num_training_samples", "epochs", "lr_scheduler_step", "optimzer"]
    assert summary == f"hyperparameters.json: 5 problems ({', '.join(names)})"
    assert [line.partition(":")[0] for line in lines] == names


def test_as_many_wrong_ones_as_the_api_allows_still_begin_with_the_summary() -> None:
    provided = {f"{'x' * 250}{number}": "y" * 2500 for number in range(100)}
    with pytest.raises(CustomerError) as raised:
        Configuration.merge(defaults(), provided)
    assert len(str(raised.value).splitlines()[0]) < 1024
    assert len(str(raised.value).splitlines()) == 1 + 100 + len(REQUIRED)


def test_the_default_file_is_the_original_containers(real_log: list[str]) -> None:
    (line,) = (line for line in real_log if "Reading default configuration" in line)
    original = ast.literal_eval(line.partition("default-input.json: ")[2])
    assert list(defaults().items()) == list(original.items())


def test_a_real_job_prints_its_three_lines(
    real_log: list[str], write_config: WriteConfig, messages: Messages
) -> None:
    """Only the paths differ from those of the real log, to the character."""
    original = [
        line.partition("] ")[2] for line in real_log if "configuration" in line and "{" in line
    ]
    provided = ast.literal_eval(original[1].partition("hyperparameters.json: ")[2])
    path = write_config("hyperparameters.json", provided)
    lines = messages(lambda: read_hyperparameters(path))
    theirs = "/opt/amazon/lib/python3.8/site-packages/algorithm/default-input.json"
    assert lines == [
        line.replace(theirs, str(DEFAULT_FILE)).replace(
            "/opt/ml/input/config/hyperparameters.json", str(path)
        )
        for line in original
    ]


def test_a_wrong_configuration_still_shows_in_the_log(
    write_config: WriteConfig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    path = write_config("hyperparameters.json", {"optimzer": "adam"})
    with pytest.raises(CustomerError):
        read_hyperparameters(path)
    lines = [record.getMessage() for record in caplog.records]
    assert lines[1] == (f"Merging with provided configuration from {path}: {{'optimzer': 'adam'}}")
    assert lines[2] == f"Final configuration: {defaults() | {'optimzer': 'adam'}}"


def test_reading_a_job_loads_nothing_heavy(write_config: WriteConfig) -> None:
    path = write_config("hyperparameters.json", {"epochs": "0"})
    script = (
        "import sys; from pathlib import Path\n"
        "import semseg.sagemaker.failure, semseg.sagemaker.job, semseg.sagemaker.narration\n"
        "import semseg.sagemaker.metrics, semseg.sagemaker.logs\n"
        "from semseg.sagemaker.tree import Tree\n"
        f"tree = Tree(Path({str(path.parents[2])!r}))\n"
        "code = semseg.sagemaker.failure.run(lambda: semseg.sagemaker.job.read_job(tree), tree)\n"
        "heavy = {'numpy', 'mxnet', 'gluoncv', 'google.protobuf', 'PIL', 'flask'}\n"
        "print(code, sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "2 []\n", done.stderr
