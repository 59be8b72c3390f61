"""Images in pieces give what they give at once."""

from typing import Any

import numpy as np
import pytest

from semseg.inference.predictor import Predictor
from semseg.networks.artifact import Artifact
from semseg.networks.tile_graphs import read_tile_graphs
from tests.inference.pictures import picture

# Two or three windows each: those of DeepLabV3 are long, as its widest convolution looks far.
SIZES = {"fcn": (90, 1103), "psp": (90, 1103), "deeplab": (60, 2403)}


# Parts of an image that are computed at once. Where it is the smaller one, DeepLabV3's windows are
# left with a margin of 36 cells, as they are in 3 GiB.
@pytest.mark.slow
@pytest.mark.parametrize("part", [0.67, 0.52])
def test_seams_do_not_show(trained: tuple[Any, Artifact], part: float) -> None:
    _, artifact = trained
    height, width = SIZES[artifact.architecture.algorithm]
    photo = picture(height, width)
    at_once = int(height * width * part)
    whole = Predictor(artifact).probabilities(photo)
    tiled = Predictor(artifact, affordable=at_once).probabilities(photo)

    assert len(np.unique(whole.argmax(axis=0))) > 1
    assert (tiled.argmax(axis=0) != whole.argmax(axis=0)).mean() <= 0.001
    assert np.abs(tiled - whole).mean() < 0.001


def test_fcn_has_no_image_wide_part(trained: tuple[Any, Artifact]) -> None:
    graphs = read_tile_graphs(trained[1])
    grids = {"fcn": None, "psp": (1, 2, 3, 6), "deeplab": (1,)}
    assert (graphs and graphs.grids) == grids[trained[1].architecture.algorithm]
