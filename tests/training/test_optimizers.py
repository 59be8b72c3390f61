import numpy as np
import pytest
from mxnet import autograd, nd
from mxnet.gluon import nn

from semseg.training.optimizers import make_trainer, optimizer_options, take_step


def layer(weight: float = 1.0, lr_mult: float = 1.0) -> nn.Dense:
    network = nn.Dense(1, in_units=1, use_bias=False)
    network.initialize()
    network.weight.set_data(nd.full((1, 1), weight))
    network.weight.lr_mult = lr_mult
    return network


def after_one_step(job, gradient: float = 4.0, lr_mult: float = 1.0) -> float:
    network = layer(lr_mult=lr_mult)
    trainer = make_trainer(network, job)
    with autograd.record():
        loss = (network(nd.ones((1, 1))) * gradient).sum()
    loss.backward()
    take_step(trainer, job.mini_batch_size, job.learning_rate)
    return float(network.weight.data().asscalar())


def test_documented_options_reach_only_the_optimizer_they_are_documented_for(job) -> None:
    given = {"momentum": "0.7", "weight_decay": "0.01", "gamma1": "0.8", "gamma2": "0.6"}
    assert optimizer_options(job(optimizer="sgd", **given)) == {
        "learning_rate": 0.001,
        "momentum": 0.7,
        "wd": 0.01,
    }
    assert optimizer_options(job(optimizer="rmsprop", **given)) == {
        "learning_rate": 0.001,
        "gamma1": 0.8,
        "gamma2": 0.6,
        "centered": True,
    }
    assert optimizer_options(job(optimizer="nag", **given)) == {
        "learning_rate": 0.001,
        "momentum": 0.9,
    }
    for optimizer in ("adam", "adagrad"):
        assert optimizer_options(job(optimizer=optimizer, **given)) == {"learning_rate": 0.001}
    assert optimizer_options(job(optimizer="adadelta", **given)) == {}


@pytest.mark.parametrize("optimizer", ["sgd", "nag", "adam", "adagrad", "rmsprop", "adadelta"])
def test_every_optimizer_goes_downhill(job, optimizer: str) -> None:
    assert after_one_step(job(optimizer=optimizer)) < 1


def test_the_step_is_divided_by_the_batch_size_once_more(job) -> None:
    """As in GluonCV's recipe: the meaning of every learning rate tuned on the original."""
    hyperparameters = job(
        optimizer="sgd", learning_rate="0.1", weight_decay="0.0000001", mini_batch_size=4
    )
    assert after_one_step(hyperparameters) == pytest.approx(1 - 0.1 * 4 / 4, rel=1e-5)
    assert after_one_step(hyperparameters, lr_mult=10) == pytest.approx(1 - 1, abs=1e-5)


def test_rmsprop_has_a_momentum_which_is_gamma2(job) -> None:
    def second_step(gamma2: str) -> float:
        network, hyperparameters = layer(), job(optimizer="rmsprop", gamma2=gamma2)
        trainer = make_trainer(network, hyperparameters)
        weights = []
        for gradient in (4.0, 0.0):
            with autograd.record():
                loss = (network(nd.ones((1, 1))) * gradient).sum()
            loss.backward()
            take_step(trainer, hyperparameters.mini_batch_size, 0.001)
            weights.append(float(network.weight.data().asscalar()))
        return weights[1] - weights[0]

    assert second_step("0") == pytest.approx(0, abs=1e-6)
    assert second_step("0.9") < -1e-4
    assert np.isfinite(second_step("0.9"))
