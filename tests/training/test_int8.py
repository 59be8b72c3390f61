import numpy as np

from semseg.training import int8


def test_a_batch_is_computed_image_by_image() -> None:
    """It is of a size for the job's GPUs, and this is on the host."""
    shapes = []

    def logits_as_they_are(images):
        shapes.append(images.shape)
        return images

    images = np.random.default_rng(1).normal(size=(3, 2, 4, 5)).astype(np.float32)
    masks = int8._masks(logits_as_they_are, images)

    assert shapes == 3 * [(1, 2, 4, 5)]
    np.testing.assert_array_equal(masks, images.argmax(axis=1))
