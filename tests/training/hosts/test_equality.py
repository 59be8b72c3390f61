"""N hosts with batch b do what one host does with batch N·b: the same images, the same steps.

The tolerance is that of float32, whose sums come out differently in another order: a hundred
thousandth of an array's largest value, after all steps.
"""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import mxnet as mx
import numpy as np
import pytest

from tests.contract.training_job import SOURCES, TrainingJob
from tests.training.hosts.loopback import resourceconfig, some_hosts

pytestmark = pytest.mark.slow

TOLERANCE = 1e-5
PROJECT = SOURCES.parent
# Seven images make three steps of two and two of three, with some left for the next epoch: what
# one host alone would have for a batch more must not leave it waiting for others.
IMAGES = ((48, 40),) * 7


def run(
    base: Path, hosts: int, devices: int, validation: int = 5, **hyperparameters: str
) -> tuple[dict[str, np.ndarray], list[str]]:
    """Runs a job on so many hosts; the last model and what the first host says of quality."""
    names = some_hosts(hosts)
    processes = []
    for number, host in enumerate(names):
        job = TrainingJob(
            base / f"{number}",
            training_sizes=IMAGES,
            validation_sizes=((40, 32),) * validation,
            num_training_samples="7",
            crop_size="24",
            base_size="32",
            epochs="3",
            **hyperparameters,
        )
        job.configure("resourceconfig", resourceconfig(host, names))
        arguments = ["-m", "tests.training.hosts.small_run", str(job.base), str(devices)]
        processes.append(
            subprocess.Popen(
                [sys.executable, *arguments],
                cwd=PROJECT,
                env={"PYTHONPATH": f"{SOURCES}:{PROJECT}", "PATH": ""},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
    logs = [process.communicate(timeout=240)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * hosts, "\n".join(logs)
    for number in range(1, hosts):
        assert not (base / f"{number}" / "model").exists()
        assert "_metric" not in logs[number]
    arrays = mx.nd.load(str(base / "0" / "model" / "model_algo-1"))
    quality = re.findall(r"(?:loss|pixel_accuracy|mIOU): (\S+) \.", logs[0])
    rates = re.findall(r"learning_rate: (\S+)", logs[0])
    assert len(quality) == 9
    return {name: array.asnumpy() for name, array in arrays.items()}, [*quality, *rates]


def assert_same(
    found: tuple[dict[str, np.ndarray], list[str]],
    expected: tuple[dict[str, np.ndarray], list[str]],
) -> None:
    assert found[0].keys() == expected[0].keys()
    for name, values in expected[0].items():
        np.testing.assert_allclose(
            found[0][name], values, rtol=0, atol=TOLERANCE * np.abs(values).max(), err_msg=name
        )
    said, wanted = (np.array(one[1], np.float64) for one in (found, expected))
    np.testing.assert_allclose(said, wanted, rtol=TOLERANCE)


def test_two_hosts_are_one_host_with_two_devices(tmp_path: Path) -> None:
    """Batch normalization too: each device has its own statistics, on one host as on two.

    The learning rate falls with every step, on both hosts alike (apache/mxnet#15919).
    """
    options = {"optimizer": "sgd", "learning_rate": "0.5", "momentum": "0.9"}
    expected = run(tmp_path / "one", 1, 2, **options, mini_batch_size="2")
    found = run(tmp_path / "two", 2, 1, **options, mini_batch_size="1")
    assert_same(found, expected)


@pytest.mark.parametrize(("hosts", "devices"), [(3, 1), (2, 2)])
def test_hosts_with_syncbn_are_one_device_with_a_batch_so_many_times_as_large(
    tmp_path: Path, hosts: int, devices: int
) -> None:
    """With an optimizer that remembers more. One of three hosts has nothing to validate."""
    options: dict[str, Any] = {
        "validation": 2,
        "optimizer": "adam",
        "learning_rate": "0.05",
        "lr_scheduler": "step",
        "lr_scheduler_step": "1, 2",
    }
    whole = str(hosts * devices)
    expected = run(tmp_path / "one", 1, 1, **options, mini_batch_size=whole)
    parts = {"syncbn": "True", "mini_batch_size": str(devices)}
    found = run(tmp_path / "several", hosts, devices, **options, **parts)
    assert_same(found, expected)
