import random

import numpy as np

from scripts.demo.shapes import CLASSES, PALETTE, draw_scene


def test_the_same_seed_draws_the_same_picture() -> None:
    image, mask = draw_scene(random.Random(3))
    again, mask_again = draw_scene(random.Random(3))
    assert image.tobytes() == again.tobytes()
    assert mask.tobytes() == mask_again.tobytes()


def test_masks_have_a_palette_and_known_labels() -> None:
    rng = random.Random(5)
    seen: set[int] = set()
    for _ in range(20):
        image, mask = draw_scene(rng)
        assert image.mode == "RGB"
        assert mask.mode == "P"
        assert image.size == mask.size
        assert all(96 <= side <= 128 for side in image.size)
        seen |= set(np.unique(np.asarray(mask)).tolist())
    assert seen == set(range(len(CLASSES)))
    assert mask.getpalette()[:12] == [value for colour in PALETTE for value in colour]
