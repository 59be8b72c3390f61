import logging
from pathlib import Path

import pytest

from semseg.sagemaker.errors import CustomerError
from semseg.serving.settings import Settings


def test_an_empty_environment_gives_the_defaults():
    settings = Settings.from_environment({"SAGEMAKER_BIND_TO_PORT": " "})

    assert settings == Settings()
    assert (settings.port, settings.workers, settings.timeout) == (8080, 1, 60)
    assert settings.max_payload_bytes == 6_291_456
    assert settings.max_pixels == 1 << 25


def test_every_variable_is_read():
    settings = Settings.from_environment(
        {
            "SAGEMAKER_BIND_TO_PORT": "9000",
            "SAGEMAKER_MODEL_SERVER_WORKERS": " 3 ",
            "SAGEMAKER_MODEL_SERVER_TIMEOUT": "120",
            "SAGEMAKER_MAX_PAYLOAD_IN_MB": "20",
            "SEMSEG_MAX_PIXELS": "1000",
            "SEMSEG_PRECISION": "int8",
            "SEMSEG_PRECISION_CHECK": "off",
            "SEMSEG_METRICS": "On",
            "PROMETHEUS_MULTIPROC_DIR": "/somewhere",
            "SAGEMAKER_CONTAINER_LOG_LEVEL": "debug",
        }
    )

    assert settings == Settings(
        port=9000,
        workers=3,
        timeout=120,
        max_payload_bytes=20 * 1024 * 1024,
        max_pixels=1000,
        precision="int8",
        precision_check=False,
        metrics_folder=Path("/somewhere"),
        log_level=logging.DEBUG,
    )


def test_without_metrics_there_is_no_folder_for_them():
    variables = {"SEMSEG_METRICS": "OFF", "PROMETHEUS_MULTIPROC_DIR": "/somewhere"}

    assert Settings.from_environment(variables) == Settings(metrics=False)


def test_the_sdk_s_number_is_a_log_level():
    variables = {"SAGEMAKER_CONTAINER_LOG_LEVEL": "30"}

    assert Settings.from_environment(variables).log_level == logging.WARNING


def test_all_malformed_variables_are_told_at_once():
    environment = {
        "SAGEMAKER_BIND_TO_PORT": "65536",
        "SAGEMAKER_MODEL_SERVER_WORKERS": "many",
        "SAGEMAKER_MODEL_SERVER_TIMEOUT": "0",
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": "-1",
        "SEMSEG_MAX_PIXELS": "1e6",
        "SEMSEG_PRECISION": "int4",
        "SEMSEG_PRECISION_CHECK": "never",
        "SEMSEG_METRICS": "maybe",
        "SAGEMAKER_CONTAINER_LOG_LEVEL": "loud",
    }

    with pytest.raises(CustomerError) as error:
        Settings.from_environment(environment)

    for name, value in environment.items():
        assert f"{name} is {value!r}" in str(error.value)


def test_a_thread_is_always_left_for_ping():
    assert Settings().in_flight < Settings().threads
