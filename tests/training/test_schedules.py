import re
from collections.abc import Callable
from pathlib import Path

import pytest

from semseg.training.schedules import iterations_per_epoch, make_schedule

NOTICE = re.compile(r"epoch: (\d+), iterations: (\d+) speed: \S+ samples/sec learning_rate: (\S+)")
SAMPLES, BATCH = 1464, 16


def updates_before(epoch: int) -> int:
    """Full batches of all epochs before; what is left of one epoch opens the next."""
    return epoch * SAMPLES // BATCH


@pytest.mark.parametrize(
    ("log", "learning_rate", "epochs", "notices"),
    [
        ("voc-fcn50-sgd-30-epochs.txt", 0.001, 30, 120),
        ("voc-fcn50-rmsprop-10-epochs.txt", 0.0001, 10, 40),
    ],
)
def test_learning_rates_are_those_of_the_real_logs(
    shared: Callable[[str], Path], job, log: str, learning_rate: float, epochs: int, notices: int
) -> None:
    schedule = make_schedule(
        job(
            learning_rate=learning_rate,
            epochs=epochs,
            num_training_samples=SAMPLES,
            mini_batch_size=BATCH,
        )
    )
    printed = NOTICE.findall(shared(f"logs/{log}").read_text())
    assert len(printed) == notices
    for epoch, iterations, rate in printed:
        ours = schedule(updates_before(int(epoch)) + int(iterations))
        assert f"{ours:.6f}" == rate, (epoch, iterations)


def test_poly_starts_at_the_learning_rate_and_ends_at_zero(job) -> None:
    schedule = make_schedule(job(epochs=2, num_training_samples=10, mini_batch_size=2))
    assert schedule(0) == pytest.approx(0.001)
    assert schedule(5) == pytest.approx(0.001 * 0.5**0.9, rel=1e-3)
    assert schedule(10) == schedule(1000) == 0


def test_cosine_falls_from_the_learning_rate_to_zero(job) -> None:
    schedule = make_schedule(
        job(lr_scheduler="cosine", epochs=2, num_training_samples=10, mini_batch_size=2)
    )
    assert schedule(0) == pytest.approx(0.001)
    assert schedule(5) == pytest.approx(0.0005)
    assert schedule(10) == schedule(11) == pytest.approx(0)


def test_step_multiplies_after_each_listed_epoch(job) -> None:
    schedule = make_schedule(
        job(
            lr_scheduler="step",
            lr_scheduler_step="1, 3",
            lr_scheduler_factor="0.5",
            epochs=4,
            num_training_samples=10,
            mini_batch_size=2,
        )
    )
    rates = [schedule(updates) for updates in (0, 4, 5, 14, 15, 99)]
    assert rates == pytest.approx([0.001, 0.001, 0.0005, 0.0005, 0.00025, 0.00025])


def test_iterations_come_from_the_hyperparameters(job) -> None:
    assert iterations_per_epoch(job(num_training_samples=1464)) == 91
    assert iterations_per_epoch(job(num_training_samples=3)) == 1


def test_several_hosts_take_a_batch_each_at_a_time(job) -> None:
    options = job(num_training_samples=1464, mini_batch_size=4)
    assert iterations_per_epoch(options, hosts=4) == 91
    assert make_schedule(options, hosts=4)(91) == make_schedule(job(num_training_samples=1464))(91)
