import numpy as np
import pytest

from semseg.inference.tiling import blended, cells_of, computed_pixels, windows

MARGIN = 4
WIDE_MARGIN = 44  # DeepLabV3's


@pytest.mark.parametrize(
    ("size", "margin"),
    [
        ((4000, 6000), MARGIN),
        ((1500, 1501), MARGIN),
        ((100, 20_000), MARGIN),
        ((20_000, 9), MARGIN),
        ((600, 600), MARGIN),
        ((1, 2_000_000), MARGIN),
        ((648, 648), WIDE_MARGIN),
        ((4000, 6000), WIDE_MARGIN),
    ],
)
def test_windows_share_an_image_out(size: tuple[int, int], margin: int) -> None:
    height, width = size
    places = windows(height, width, 512 * 512, margin)
    seen = np.zeros((cells_of(height), cells_of(width)), int)
    votes = np.zeros(seen.shape)
    for rows, columns in places:
        own = (
            slice(rows.start + rows.own.start, rows.start + rows.own.stop),
            slice(columns.start + columns.own.start, columns.start + columns.own.stop),
        )
        seen[own] += 1
        votes[rows.cells, columns.cells] += rows.weights[:, None] * columns.weights
        pixels = np.empty(size, bool)[rows.pixels(height), columns.pixels(width)]
        assert computed_pixels(*pixels.shape) <= 512 * 512 * 1.1
        assert cells_of(pixels.shape[0]) == rows.stop - rows.start
        assert cells_of(pixels.shape[1]) == columns.stop - columns.start
        assert (rows.weights >= 0).all()
        assert (columns.weights >= 0).all()
    assert (seen == 1).all()
    np.testing.assert_allclose(votes, 1, atol=1e-6)


def test_a_window_has_nothing_to_say_near_an_edge_with_a_neighbour() -> None:
    [(_, left), (_, right)] = windows(400, 800, 512 * 512, MARGIN)
    assert (left.weights[: -MARGIN - 16] == 1).all()
    assert (left.weights[-MARGIN:] == 0).all()
    assert (right.weights[:MARGIN] == 0).all()


def test_an_image_that_fits_is_one_window() -> None:
    [(rows, columns)] = windows(70, 100, 512 * 512, MARGIN)
    assert (rows.pixels(70), columns.pixels(100)) == (slice(0, 70), slice(0, 100))
    assert (rows.weights == 1).all()


def test_what_all_windows_agree_on_is_the_whole() -> None:
    values = np.random.default_rng(1).normal(size=(3, 125, 188)).astype(np.float32)
    places = windows(1000, 1500, 512 * 512, MARGIN)
    parts = (((r, c), values[:, r.cells, c.cells]) for r, c in places)
    np.testing.assert_allclose(blended((125, 188), parts), values, atol=1e-5)


def test_a_long_thin_image_makes_few_windows() -> None:
    assert len(windows(1, 2_000_000, 1920 * 1088, WIDE_MARGIN)) == 8


@pytest.mark.parametrize(
    ("size", "pixels"), [((8, 8), 64), ((1, 9), 128), ((1080, 1920), 1080 * 1920)]
)
def test_whole_cells_are_computed(size: tuple[int, int], pixels: int) -> None:
    assert computed_pixels(*size) == pixels
