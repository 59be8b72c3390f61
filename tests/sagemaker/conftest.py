import json
import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from semseg.sagemaker.channels import read_channels
from semseg.sagemaker.errors import CustomerError
from semseg.sagemaker.logs import configure_logging
from semseg.sagemaker.tree import Tree

FILE_CHANNELS = ("train", "train_annotation", "validation", "validation_annotation")
PREFIX = re.compile(r"^\[\d\d/\d\d/\d{4} \d\d:\d\d:\d\d [A-Z]+ \d+\] ")


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """A tree whose configuration folder exists and is empty."""
    tree = Tree(tmp_path / "ml")
    tree.config("any").parent.mkdir(parents=True)
    return tree


@pytest.fixture
def write_config(tree: Tree) -> Callable[[str, Any], Path]:
    """Writes a configuration file of the tree as JSON, or as it is where it is bytes."""

    def write(name: str, content: Any) -> Path:
        path = tree.config(name)
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return path

    return write


@pytest.fixture
def channel_settings(tree: Tree) -> dict[str, dict[str, str]]:
    """What SageMaker writes about four channels in file mode; their folders exist."""
    for name in FILE_CHANNELS:
        tree.channel(name).mkdir(parents=True)
    return {
        name: {
            "TrainingInputMode": "File",
            "S3DistributionType": "FullyReplicated",
            "RecordWrapperType": "None",
        }
        for name in FILE_CHANNELS
    }


@pytest.fixture
def complaints(tree: Tree, write_config: Callable[[str, Any], Path]) -> Callable[[Any], list[str]]:
    """The lines about single problems of an inputdataconfig.json."""

    def complain(content: Any) -> list[str]:
        write_config("inputdataconfig.json", content)
        with pytest.raises(CustomerError) as raised:
            read_channels(tree)
        summary, *lines = str(raised.value).splitlines()
        assert summary.startswith("inputdataconfig.json: ")
        return lines

    return complain


@pytest.fixture
def printed(
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Callable[[Callable[[], object]], list[str]]]:
    """Calls a function with logging as in the container; its lines, with their prefixes."""
    logger = logging.getLogger("semseg")
    before = logger.handlers, logger.level, logger.propagate

    def call(function: Callable[[], object]) -> list[str]:
        configure_logging()
        capsys.readouterr()
        function()
        captured = capsys.readouterr()
        assert captured.err == ""
        return captured.out.splitlines()

    yield call
    logger.handlers, logger.level, logger.propagate = before


@pytest.fixture
def messages(
    printed: Callable[[Callable[[], object]], list[str]],
) -> Callable[[Callable[[], object]], list[str]]:
    """As `printed`, without the prefixes."""
    return lambda function: [PREFIX.sub("", line) for line in printed(function)]


@pytest.fixture(scope="session")
def metric_definitions(project: Path) -> list[dict[str, str]]:
    """SageMaker's MetricDefinitions of this algorithm."""
    definitions: list[dict[str, str]] = json.loads(
        (project / "configs" / "metric-definitions.json").read_text()
    )
    return definitions


@pytest.fixture(scope="session")
def real_log(shared: Callable[[str], Path]) -> list[str]:
    """The log of a real job of January 2025, where this machine has it."""
    return shared("logs/voc-fcn50-rmsprop-10-epochs.txt").read_text().splitlines()


@pytest.fixture(scope="session")
def older_log(shared: Callable[[str], Path]) -> list[str]:
    """The log of a real job of December 2020, where this machine has it."""
    return shared("logs/voc-fcn50-sgd-30-epochs.txt").read_text().splitlines()
