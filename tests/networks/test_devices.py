import mxnet as mx
import pytest

from semseg.networks.devices import available_devices


@pytest.mark.parametrize(
    ("found", "devices"),
    [(0, (mx.cpu(),)), (1, (mx.gpu(0),)), (8, (mx.gpu(0), mx.gpu(1)))],
)
def test_the_first_gpus_or_the_cpu(
    monkeypatch: pytest.MonkeyPatch, found: int, devices: tuple[mx.Context, ...]
) -> None:
    monkeypatch.setattr(mx.context, "num_gpus", lambda: found)
    assert available_devices(2) == devices
