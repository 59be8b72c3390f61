import time
from pathlib import Path
from typing import Any

import mxnet as mx
import numpy as np
import pytest

from semseg.inference import predictor as predictor_module
from semseg.inference.int8 import int8_forward, refuse_slower_int8
from semseg.inference.predictor import Predictor
from semseg.networks.artifact import Artifact
from semseg.networks.folding import fold_batch_normalization
from semseg.networks.graph import read_graph
from semseg.networks.quantization import Calibration, quantized
from semseg.networks.thresholds import Thresholds
from semseg.sagemaker.errors import CustomerError
from tests.inference.pictures import picture
from tests.inference.test_tiled import SIZES
from tests.inference.waits import Waits


def cpuinfo(folder: Path, flags: str) -> Path:
    path = folder / "cpuinfo"
    path.write_text(
        f"processor\t: 0\nmodel name\t: a CPU\nflags\t\t: {flags}\nbugs\t\t: avx_vnni\n"
    )
    return path


def test_where_int8_would_be_slower_it_is_refused_with_both_times(tmp_path: Path) -> None:
    slow, fast = Waits(0.03), Waits(0)
    said = r"slower .* has no AVX512-VNNI: .* SEMSEG_PRECISION=float32"
    with pytest.raises(CustomerError, match=said):
        refuse_slower_int8(slow, fast, cpuinfo(tmp_path, "sse2 avx2 avx_vnni"))


def test_without_the_instructions_it_may_still_be_faster(tmp_path: Path) -> None:
    refuse_slower_int8(Waits(0), Waits(0.03), cpuinfo(tmp_path, "sse2 avx2"))
    refuse_slower_int8(Waits(0), Waits(0.03), tmp_path / "no such file")


def test_where_both_take_as_long_chance_does_not_decide(tmp_path: Path) -> None:
    refuse_slower_int8(Waits(0.1), Waits(0.097), cpuinfo(tmp_path, "sse2 avx2"))


def test_what_slows_the_machine_down_for_a_while_does_not_decide(tmp_path: Path) -> None:
    calls: list[Any] = []

    def network(batch: Any) -> Any:
        calls.append(batch)
        time.sleep(0.2 if len(calls) <= 9 else 0.02)
        return batch

    refuse_slower_int8(network, network, cpuinfo(tmp_path, "sse2 avx2"))


def test_with_the_instructions_nothing_is_measured(tmp_path: Path) -> None:
    slow, fast = Waits(0), Waits(0)
    refuse_slower_int8(slow, fast, cpuinfo(tmp_path, "sse2 avx512_vnni avx2"))
    assert slow.batches == fast.batches == 0


@pytest.fixture(scope="module")
def thresholds(trained: tuple[Any, Artifact]) -> Thresholds:
    calibration = Calibration(fold_batch_normalization(read_graph(trained[1])))
    calibration.watch(np.random.default_rng(0).uniform(-2, 2, (2, 3, 64, 64)).astype(np.float32))
    return Thresholds(parameters_sha256="", images=2, ranges=calibration.ranges())


def test_sizes_that_come_again_and_new_ones_give_the_same(
    trained: tuple[Any, Artifact], thresholds: Thresholds
) -> None:
    graph = quantized(fold_batch_normalization(read_graph(trained[1])), thresholds.ranges)
    forward = int8_forward(graph)
    batches = [mx.nd.random.uniform(-2, 2, shape=(1, 3, 32 + 8 * n, 40)) for n in range(6)]
    expected = [forward(batch).asnumpy() for batch in batches]
    for which in (5, 4, 5, 4, 5, 0, 1, 2, 3, 4, 5):
        np.testing.assert_array_equal(forward(batches[which]).asnumpy(), expected[which])


def test_a_predictor_in_int8_gives_masks_and_probabilities(
    trained: tuple[Any, Artifact], thresholds: Thresholds
) -> None:
    predictor = Predictor(trained[1], thresholds=thresholds, proven=True)
    predictor.warm_up()
    image = np.random.default_rng(3).integers(0, 256, (45, 70, 3), np.uint8)
    probabilities = predictor.probabilities(image)
    np.testing.assert_allclose(probabilities.sum(axis=0), 1, atol=1e-5)
    np.testing.assert_array_equal(predictor.mask(image), probabilities.argmax(axis=0))
    expected = Predictor(trained[1]).probabilities(image)
    assert np.abs(probabilities - expected).max() > 0
    assert np.abs(probabilities - expected).mean() < 0.1


@pytest.mark.slow
def test_windows_are_computed_in_int8_by_fcn_and_in_float32_by_the_others(
    trained: tuple[Any, Artifact], thresholds: Thresholds
) -> None:
    _, artifact = trained
    algorithm = artifact.architecture.algorithm
    height, width = SIZES[algorithm]
    image = picture(height, width)
    int8 = Predictor(artifact, thresholds=thresholds, proven=True).probabilities(image)
    float32 = Predictor(artifact).probabilities(image)
    in_windows = Predictor(
        artifact, thresholds=thresholds, affordable=int(height * width * 0.67), proven=True
    ).probabilities(image)

    expected, other = (int8, float32) if algorithm == "fcn" else (float32, int8)
    # Random weights leave many pixels undecided, which int8's steps tip: of a trained network's
    # some 0.002 % differ (README, "Images of any size").
    most = 0.005 if algorithm == "fcn" else 0.001
    assert (in_windows.argmax(axis=0) != expected.argmax(axis=0)).mean() <= most
    assert np.abs(in_windows - expected).mean() < np.abs(in_windows - other).mean() / 3


def test_what_has_been_compared_once_is_not_compared_again(
    trained: tuple[Any, Artifact], thresholds: Thresholds, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_int8: Any, _float32: Any) -> None:
        raise CustomerError("It is slower today.")

    monkeypatch.setattr(predictor_module, "refuse_slower_int8", refuse)
    with pytest.raises(CustomerError):
        Predictor(trained[1], thresholds=thresholds)
    Predictor(trained[1], thresholds=thresholds, proven=True)
