"""From hyperparameters to a Gluon trainer, and the size of one step."""

from typing import Any

from mxnet import gluon

from semseg.sagemaker.hyperparameters import Hyperparameters

# AWS documents `momentum` for sgd only. Without any, nag would be plain sgd, so it keeps this.
_NAG_MOMENTUM = 0.9


def optimizer_options(job: Hyperparameters) -> dict[str, Any]:
    """MXNet's arguments for the job's optimizer.

    As AWS documents them, `momentum` and `weight_decay` act with sgd only and `gamma1` and `gamma2`
    with rmsprop only. MXNet's AdaDelta has no learning rate.
    """
    if job.optimizer == "adadelta":
        return {}
    rate = {"learning_rate": job.learning_rate}
    if job.optimizer == "sgd":
        return {**rate, "momentum": job.momentum, "wd": job.weight_decay}
    if job.optimizer == "nag":
        return {**rate, "momentum": _NAG_MOMENTUM}
    if job.optimizer == "rmsprop":
        # Only MXNet's centred variant (Graves 2013) has a momentum, which is what gamma2 is.
        return {**rate, "gamma1": job.gamma1, "gamma2": job.gamma2, "centered": True}
    return rate


def make_trainer(network: Any, job: Hyperparameters) -> gluon.Trainer:
    """The trainer of all of a network's parameters on one device."""
    return gluon.Trainer(
        network.collect_params(), job.optimizer, optimizer_options(job), kvstore=None
    )


def take_step(trainer: gluon.Trainer, job: Hyperparameters, learning_rate: float) -> None:
    """One update, exactly as large as the original's.

    The gradient is already the mean over the batch's labelled pixels; GluonCV's recipe, and with it
    the original, divides it by `mini_batch_size` once more. Learning rates that were tuned there
    keep their meaning only if this does the same.
    """
    trainer.set_learning_rate(learning_rate)
    trainer.step(job.mini_batch_size)
