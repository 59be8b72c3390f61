"""Images in pieces give what they give at once."""

from typing import Any

import numpy as np
import pytest

from semseg.inference.predictor import Predictor
from semseg.inference.tiling import windows
from semseg.networks.artifact import Artifact
from semseg.networks.tile_graphs import read_tile_graphs
from tests.inference.pictures import picture

# Two or three windows each: those of DeepLabV3 are long, as its widest convolution looks far.
SIZES = {"fcn": (90, 1103), "psp": (90, 1103), "deeplab": (60, 2403)}
# Two by two windows, of as few cells a side as windows have.
SQUARE = 584


Photo = tuple[np.ndarray, np.ndarray]


@pytest.fixture(scope="module", params=[False, True])
def photo(request: Any, trained: tuple[Any, Artifact]) -> Photo:
    """A picture, lying or upright, and its probabilities as they are in one piece."""
    height, width = SIZES[trained[1].architecture.algorithm][:: -1 if request.param else 1]
    return in_one_piece(trained[1], height, width)


def in_one_piece(artifact: Artifact, height: int, width: int) -> Photo:
    image = picture(height, width)
    return image, Predictor(artifact).probabilities(image)


# Parts of an image that are computed at once. Where it is the smaller one, DeepLabV3's windows are
# left with a margin of 36 cells, as they are in 3 GiB.
@pytest.mark.slow
@pytest.mark.parametrize("part", [0.67, 0.52])
def test_seams_do_not_show(trained: tuple[Any, Artifact], photo: Photo, part: float) -> None:
    height, width, _ = photo[0].shape
    check_seams(trained[1], photo, int(height * width * part))


@pytest.mark.slow
def test_seams_do_not_show_in_windows_beside_and_below_each_other(
    trained: tuple[Any, Artifact],
) -> None:
    _, artifact = trained
    if artifact.architecture.algorithm == "deeplab":
        pytest.skip("four windows of DeepLabV3 would take 20 megapixels")
    at_once = SQUARE * SQUARE - 1
    assert len(windows(SQUARE, SQUARE, at_once, margin=40)) == 4
    check_seams(artifact, in_one_piece(artifact, SQUARE, SQUARE), at_once)


def check_seams(artifact: Artifact, photo: Photo, at_once: int) -> None:
    """Fails if an image looks different when it is computed in windows of so many pixels."""
    image, whole = photo
    tiled = Predictor(artifact, affordable=at_once).probabilities(image)

    assert len(np.unique(whole.argmax(axis=0))) > 1
    assert (tiled.argmax(axis=0) != whole.argmax(axis=0)).mean() <= 0.001
    assert np.abs(tiled - whole).mean() < 0.001


def test_fcn_has_no_image_wide_part(trained: tuple[Any, Artifact]) -> None:
    graphs = read_tile_graphs(trained[1])
    grids = {"fcn": None, "psp": (1, 2, 3, 6), "deeplab": (1,)}
    assert (graphs and graphs.grids) == grids[trained[1].architecture.algorithm]
