"""A whole model's values in a network that had others."""

from pathlib import Path
from typing import Any

import mxnet as mx
import numpy as np
import pytest

from semseg.networks.values import load_model, set_values
from semseg.sagemaker.errors import CustomerError
from tests.networks.conftest import CLASSES, untrained
from tests.networks.weights import computed

HEAD, AUXILIARY = "head.block.4.weight", "auxlayer.block.4.weight"


@pytest.fixture(scope="module")
def network() -> Any:
    """An FCN with its auxiliary head."""
    return untrained("fcn")


@pytest.fixture
def file(networks: dict[str, Any], tmp_path: Path) -> Path:
    """The parameters of another FCN."""
    path = tmp_path / "model.params"
    networks["fcn"].save_parameters(str(path))
    return path


def values_of(network: Any) -> dict[str, np.ndarray]:
    parameters = network._collect_params_with_prefix()
    return {name: parameter.data().asnumpy() for name, parameter in parameters.items()}


def change(file: Path, **replaced: Any) -> None:
    """Replaces arrays, or leaves out those that are None; dots are written as `__`."""
    names = {name.replace("__", "."): value for name, value in replaced.items()}
    arrays = {**mx.nd.load(str(file)), **names}
    mx.nd.save(str(file), {name: value for name, value in arrays.items() if value is not None})


def complaint(network: Any, file: Path) -> str:
    with pytest.raises(CustomerError) as raised:
        load_model(network, file, "The seed model x")
    return str(raised.value)


def test_all_values_are_the_files(network: Any, file: Path) -> None:
    load_model(network, file, "The seed model x")
    expected = mx.nd.load(str(file))
    for name, values in values_of(network).items():
        np.testing.assert_array_equal(values, expected[name].asnumpy())


def test_a_file_of_gluoncvs_own_class(network: Any, tmp_path: Path) -> None:
    """Those are the original's names and format (SageMaker SDK issues 2062 and 200)."""
    from gluoncv.model_zoo import FCN

    theirs = FCN(CLASSES, pretrained_base=False, crop_size=32)
    theirs.initialize(force_reinit=True)  # GluonCV has begun with the heads
    computed(theirs(mx.nd.zeros((1, 3, 32, 32))))
    theirs.save_parameters(str(tmp_path / "theirs"))
    load_model(network, tmp_path / "theirs", "The seed model x")
    expected = values_of(theirs)
    assert values_of(network).keys() == expected.keys()
    for name, values in values_of(network).items():
        np.testing.assert_array_equal(values, expected[name])


def test_a_file_without_an_auxiliary_head_leaves_the_networks_as_it_is(
    network: Any, file: Path
) -> None:
    names = [name for name in mx.nd.load(str(file)) if name.startswith("auxlayer.")]
    change(file, **dict.fromkeys(names))
    before = values_of(network)[AUXILIARY]
    load_model(network, file, "The seed model x")
    np.testing.assert_array_equal(values_of(network)[AUXILIARY], before)
    expected = mx.nd.load(str(file))[HEAD].asnumpy()
    np.testing.assert_array_equal(values_of(network)[HEAD], expected)


def test_a_network_without_an_auxiliary_head_takes_the_rest(file: Path) -> None:
    network = untrained("fcn", aux=False)
    load_model(network, file, "The seed model x")
    expected = mx.nd.load(str(file))[HEAD].asnumpy()
    np.testing.assert_array_equal(values_of(network)[HEAD], expected)


def test_float16_and_the_prefixes_of_older_files(network: Any, file: Path) -> None:
    arrays = {
        f"arg:{name}": array.astype("float16") for name, array in mx.nd.load(str(file)).items()
    }
    mx.nd.save(str(file), arrays)
    load_model(network, file, "The seed model x")
    values = values_of(network)[HEAD]
    assert values.dtype == np.float32
    np.testing.assert_array_equal(values, arrays[f"arg:{HEAD}"].asnumpy().astype(np.float32))


def test_what_is_missing_or_has_another_shape_is_named(network: Any, file: Path) -> None:
    change(file, bn1__gamma=None, head__block__4__weight=mx.nd.zeros((5, 512, 1, 1)))
    message = complaint(network, file)
    assert message.startswith("The seed model x does not fit: ")
    assert message.endswith(", and 1 more differences.")


def test_values_that_are_no_numbers_are_refused(network: Any, file: Path) -> None:
    change(file, bn1__running_var=mx.nd.full((128,), np.nan))
    assert complaint(network, file) == (
        "The seed model x cannot be used: not all of bn1.running_var are finite numbers."
    )


def test_a_damaged_file(network: Any, file: Path) -> None:
    file.write_bytes(b"nothing that MXNet knows")
    assert complaint(network, file) == "The seed model x is damaged: copy it again."


def test_values_go_to_all_devices() -> None:
    parameter = mx.gluon.Parameter("weight", shape=(2,))
    parameter.initialize(ctx=[mx.cpu(0), mx.cpu(1)])
    set_values({"weight": parameter}, {"weight": mx.nd.array([1, 2])}, "It")
    for copy in parameter.list_data():
        np.testing.assert_array_equal(copy.asnumpy(), [1, 2])
