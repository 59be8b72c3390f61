from pathlib import Path

import pytest

from semseg.sagemaker.tree import Tree


@pytest.mark.parametrize("environ", [{}, {"SAGEMAKER_BASE_DIR": ""}])
def test_the_tree_is_opt_ml_unless_moved(environ: dict[str, str]) -> None:
    assert Tree.from_environment(environ) == Tree(Path("/opt/ml"))


def test_everything_moves_with_the_base() -> None:
    tree = Tree.from_environment({"SAGEMAKER_BASE_DIR": "/elsewhere"})
    places = {
        "input/config/hyperparameters.json": tree.hyperparameters,
        "input/config/inputdataconfig.json": tree.inputdataconfig,
        "input/config/resourceconfig.json": tree.resourceconfig,
        "input/config/checkpointconfig.json": tree.checkpointconfig,
        "input/data/train": tree.channel("train"),
        "model": tree.model,
        "checkpoints": tree.checkpoints,
        "output": tree.output,
        "output/failure": tree.failure,
    }
    assert places == {place: Path("/elsewhere", place) for place in places}
