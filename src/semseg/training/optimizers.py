"""From hyperparameters to a Gluon trainer, and the size of one step."""

from collections.abc import Iterator, Mapping, Sequence
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


def make_trainer(
    network: Any, job: Hyperparameters, updates: int = 0, sums_gradients: bool = True
) -> gluon.Trainer:
    """The trainer of all of a network's parameters, on all the devices that they are on.

    `_kvstore` says where the devices' gradients are summed. Each device then takes the same step by
    itself, so that the learning rate is nobody else's business.

    Args:
        network: initialized network.
        job: the job's hyperparameters.
        updates: how many the parameters have seen; adam's bias correction goes by it.
        sums_gradients: whether it is for the trainer to sum the devices' gradients.
    """
    options = {**optimizer_options(job), "begin_num_update": updates}
    trainer = gluon.Trainer(
        network.collect_params(),
        job.optimizer,
        options,
        kvstore=job.kvstore if sums_gradients else None,
        update_on_kvstore=False,
    )
    # Gluon would do this in the first step and give all devices the first one's parameters, and
    # with them its statistics of batch normalization: that step's would be lost on the others.
    trainer._init_kvstore()
    trainer._init_params()
    return trainer


def take_step(trainer: gluon.Trainer, batch_size: int, learning_rate: float) -> None:
    """One update, exactly as large as the original's.

    The gradient is already the mean over the batch's labelled pixels; GluonCV's recipe, and with it
    the original, divides it by the number of the batch's images once more. Learning rates that were
    tuned there keep their meaning only if this does the same.

    Args:
        trainer: of the parameters.
        batch_size: images in the whole batch, that of all hosts together.
        learning_rate: of this update.
    """
    trainer.set_learning_rate(learning_rate)
    trainer.step(batch_size)


def states_of(trainer: gluon.Trainer) -> dict[str, list[Any]]:
    """The optimizer's memory of each parameter that was updated: momentum, averages of squares.

    Returns:
        NDArrays by the parameter's name, in an order that is the optimizer's own.
    """
    states = trainer._updaters[0].states
    return {trainer._params[index].name: list(_flat(state)) for index, state in states.items()}


def restore_states(trainer: gluon.Trainer, states: Mapping[str, Sequence[Any]]) -> None:
    """Gives an optimizer the memory of another one with the same hyperparameters.

    Args:
        trainer: of the same parameters.
        states: NumPy arrays, as `states_of` orders them.
    """
    for device, updater in enumerate(trainer._updaters):
        for index, parameter in enumerate(trainer._params):
            if parameter.name not in states:
                continue
            weight = parameter.list_data()[device]
            state = updater.optimizer.create_state_multi_precision(index, weight)
            for array, saved in zip(_flat(state), states[parameter.name], strict=True):
                array[:] = saved
            updater.states[index], updater.states_synced[index] = state, True


def states_on_devices(trainer: gluon.Trainer) -> Iterator[tuple[int, list[Any]]]:
    """All arrays of the optimizer's memory, made where they are not there yet.

    Yields:
        The index of a parameter, and one of its arrays on each of the devices.
    """
    for index, parameter in enumerate(trainer._params):
        if parameter.grad_req == "null":
            continue
        flat = []
        for updater, weight in zip(trainer._updaters, parameter.list_data(), strict=True):
            if index not in updater.states:
                state = updater.optimizer.create_state_multi_precision(index, weight)
                updater.states[index], updater.states_synced[index] = state, True
            flat.append(_flat(updater.states[index]))
        yield from ((index, list(copies)) for copies in zip(*flat, strict=True))


def _flat(state: Any) -> Iterator[Any]:
    """The arrays in a state, which is nothing, one array, or a tuple of states."""
    if isinstance(state, tuple | list):
        for part in state:
            yield from _flat(part)
    elif state is not None:
        yield state
