from collections.abc import Iterator

import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import nn

from semseg.data.assembly import Batch
from semseg.sagemaker.errors import CustomerError
from semseg.training.epoch import Learner
from semseg.training.state import Position, State


class PixelWise(nn.HybridSequential):
    """The smallest network that gives logits for pixels: one 1x1 convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.add(nn.Conv2D(2, kernel_size=1, in_channels=3))
        self.initialize()

    def forward(self, images: mx.nd.NDArray) -> tuple[mx.nd.NDArray, ...]:
        return (super().forward(images),)


def batches(count: int, scale: float = 1.0) -> Iterator[Batch]:
    """Images whose class is whether the first channel is positive."""
    rng = np.random.default_rng(0)
    for _ in range(count):
        images = rng.normal(size=(2, 3, 8, 8)).astype(np.float32)
        yield Batch(images * np.float32(scale), (images[:, 0] > 0).astype(np.uint8))


def learner(job, state: State | None = None, **options: object) -> Learner:
    mx.random.seed(1)
    state = state or State(seed=1)
    return Learner(
        PixelWise(), job(mini_batch_size=2, optimizer="adam", **options), (mx.cpu(),), state
    )


def at_epoch(number: int) -> State:
    return State(seed=1, position=Position(epoch=number))


def test_the_loss_falls_and_updates_are_counted(job) -> None:
    state, losses = State(seed=1), []
    pupil = learner(job, state, learning_rate="0.1", epochs=100)
    for _ in range(4):
        pupil.train_epoch(batches(8))
        losses.append(state.position.mean_loss)
        state.position.start_next_epoch()
    assert losses[-1] < losses[0] / 2
    assert state.position == Position(epoch=4, updates=32)


def test_progress_notices_every_logging_frequency_with_the_learning_rate_of_the_moment(
    job, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        learner(
            job, at_epoch(3), _logging_frequency=2, epochs=1, num_training_samples=10
        ).train_epoch(batches(5))
    notices = [message for message in caplog.messages if message.startswith("#progress_notice")]
    assert [notice.split(" speed")[0] for notice in notices] == [
        "#progress_notice. epoch: 3, iterations: 2",
        "#progress_notice. epoch: 3, iterations: 4",
    ]
    assert notices[0].endswith("learning_rate: 0.000631")  # 0.001 * (1 - 2 / 5) ** 0.9
    assert notices[1].endswith("learning_rate: 0.000235")


def test_a_loss_that_is_not_finite_names_the_iteration_and_the_learning_rate(job) -> None:
    with pytest.raises(CustomerError, match=r"epoch 7, iteration 1 .* learning_rate 0.001"):
        learner(job, at_epoch(7)).train_epoch(batches(2, scale=np.inf))


def test_parameters_spoilt_by_the_last_update_end_training_too(job) -> None:
    """Gradients whose squares overflow: the loss was finite, the weights are no longer."""
    options = job(mini_batch_size=2, optimizer="rmsprop")
    pupil = Learner(PixelWise(), options, (mx.cpu(),), at_epoch(7))
    with pytest.raises(CustomerError, match=r"after epoch 7, iteration 1 .* learning_rate 0.001"):
        pupil.train_epoch(batches(1, scale=1e25))
