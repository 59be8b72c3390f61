from pathlib import Path

import pytest

from semseg.sagemaker.errors import CustomerError
from semseg.training.settings import Settings


def test_the_default_is_ten_minutes() -> None:
    assert Settings.from_environment({}).checkpoint_seconds == 600
    assert Settings.from_environment({"SEMSEG_CHECKPOINT_MINUTES": " "}).checkpoint_seconds == 600


def test_minutes_may_be_parts_of_minutes() -> None:
    settings = Settings.from_environment(
        {"SEMSEG_CHECKPOINT_MINUTES": "0.5", "SEMSEG_BACKBONES": "/weights"}
    )
    assert settings.checkpoint_seconds == 30
    assert settings.backbones.folder == Path("/weights")


def test_pipes_are_waited_for_five_minutes_or_as_long_as_told() -> None:
    assert Settings.from_environment({}).pipe_seconds == 300
    assert Settings.from_environment({"SEMSEG_PIPE_SECONDS": "2.5"}).pipe_seconds == 2.5


@pytest.mark.parametrize("name", ["SEMSEG_CHECKPOINT_MINUTES", "SEMSEG_PIPE_SECONDS"])
@pytest.mark.parametrize("wrong", ["often", "-1", "nan", "inf"])
def test_anything_else_is_named(name: str, wrong: str) -> None:
    with pytest.raises(CustomerError, match=f"{name} is '{wrong}': give"):
        Settings.from_environment({name: wrong})
