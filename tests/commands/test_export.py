"""`semseg export` as a person calls it, and its files in the programs they are for.

The yardstick is the predictor that `serve` answers with. The tolerance of probabilities is 1e-3:
sums are made in another order, and random weights make large logits.
"""

import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mxnet as mx
import numpy as np
import onnx
import onnxruntime
import pytest

from semseg.cli import main
from semseg.inference.predictor import Predictor
from semseg.networks.artifact import BEST, read_artifact, write_configuration
from semseg.networks.zoo import build

CLASSES = 4
SIZE = (66, 97)  # neither is a multiple of anything that a network likes
TOLERANCE = 1e-3

# What MXNet says whenever a SymbolBlock is imported with its parameters.
pytestmark = pytest.mark.filterwarnings("ignore:Cannot decide type:UserWarning")


@pytest.fixture(scope="module", params=["fcn", "psp", "deeplab"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp(request.param)
    mx.random.seed(3)
    network = build(request.param, "resnet-50", CLASSES)
    network.start_untrained(mx.cpu())
    network.save_parameters(str(folder / BEST))
    write_configuration(folder, {"algorithm": request.param})
    return folder


@pytest.fixture(scope="module")
def predictor(model: Path) -> Predictor:
    return Predictor(read_artifact(model))


@pytest.fixture
def untouched(tmp_path: Path) -> Path:
    """A folder that looks like a model until somebody reads it."""
    folder = tmp_path / "model"
    folder.mkdir()
    return folder


def image(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height).integers(0, 256, (height, width, 3), np.uint8)


def pixels(*images: np.ndarray) -> np.ndarray:
    return np.stack([np.moveaxis(each, -1, 0) for each in images]).astype(np.float32)


def export(model: Path, *options: str | Path) -> None:
    main(["export", str(model), *map(str, options)])


def refusal(capsys: pytest.CaptureFixture[str], model: Path, *options: str | Path) -> str:
    with pytest.raises(SystemExit) as ended:
        export(model, *options)
    assert ended.value.code == 2
    output = capsys.readouterr()
    return output.out + output.err


def load_symbol(folder: Path) -> Any:
    return mx.gluon.SymbolBlock.imports(
        str(folder / "model-symbol.json"), ["data"], str(folder / "model-0000.params")
    )


@pytest.mark.slow
def test_a_symbol_is_for_images_of_any_size(
    model: Path, predictor: Predictor, tmp_path: Path
) -> None:
    export(model, "--format", "symbol", "--output", tmp_path)
    network = load_symbol(tmp_path)
    for size in (SIZE, (40, 33), (8, 1)):
        found = network(mx.nd.array(pixels(image(*size)))).asnumpy()
        expected = predictor.probabilities(image(*size))
        np.testing.assert_allclose(found[0], expected, atol=TOLERANCE, rtol=0)


@pytest.mark.slow
def test_a_symbol_for_compilers_has_every_size_in_it(
    model: Path, predictor: Predictor, tmp_path: Path
) -> None:
    export(model, "--format", "symbol", "--size", "66x97", "--output", tmp_path)
    graph = json.loads((tmp_path / "model-symbol.json").read_text())
    resizes = [node for node in graph["nodes"] if "BilinearResize2D" in node["op"]]
    assert {"height": "66", "width": "97"} in [node["attrs"] for node in resizes]
    assert all(len(node["inputs"]) == 1 for node in resizes)
    found = load_symbol(tmp_path)(mx.nd.array(pixels(image(*SIZE)))).asnumpy()
    expected = predictor.probabilities(image(*SIZE))
    np.testing.assert_allclose(found[0], expected, atol=TOLERANCE, rtol=0)


@pytest.mark.slow
def test_a_symbol_loads_as_a_module(model: Path, predictor: Predictor, tmp_path: Path) -> None:
    export(model, "--format", "symbol", "--result", "mask", "--output", tmp_path)
    module = mx.mod.Module.load(str(tmp_path / "model"), 0, label_names=None)
    module.bind([("data", (1, 3, *SIZE))], for_training=False)
    module.forward(mx.io.DataBatch([mx.nd.array(pixels(image(*SIZE)))]), is_train=False)
    assert module.output_names == ["mask_output"]
    found = module.get_outputs()[0].asnumpy()
    assert found.dtype == np.uint8
    assert (found[0] == predictor.mask(image(*SIZE))).mean() >= 0.999


@pytest.mark.slow
def test_onnx_says_what_serve_says(
    model: Path,
    predictor: Predictor,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    export(model, "--format", "onnx", "--size", "66x97", "--output", tmp_path)
    file, what, check = capsys.readouterr().out.splitlines()
    assert file == str(tmp_path / "model.onnx")
    assert what == "probabilities of images of 66x97"
    assert check.startswith("checked with ONNX Runtime: the same class as MXNet in ")

    session = onnxruntime.InferenceSession(file)
    images = image(*SIZE), image(*SIZE)[::-1]
    [found] = session.run(["probabilities"], {"data": pixels(*images)})
    assert found.dtype == np.float32
    for each, probabilities in zip(images, found, strict=True):
        expected = predictor.probabilities(np.ascontiguousarray(each))
        np.testing.assert_allclose(probabilities, expected, atol=TOLERANCE, rtol=0)

    export(model, "--format", "onnx", "--size", "66x97", "--result", "mask", "--output", tmp_path,
           "--replace")  # fmt: skip
    [mask] = onnxruntime.InferenceSession(file).run(["mask"], {"data": pixels(images[0])})
    assert mask.dtype == np.uint8
    assert (mask[0] == predictor.mask(images[0])).mean() >= 0.999
    assert {entry.op_type for entry in onnx.load(file).graph.node} <= {
        "Add", "ArgMax", "BatchNormalization", "Cast", "Concat", "Conv", "GlobalAveragePool",
        "Identity", "MatMul", "MaxPool", "Mul", "Relu", "Resize", "Sub",
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("model", ["fcn"], indirect=True)
def test_a_model_that_is_still_packed(model: Path, tmp_path: Path) -> None:
    packed = tmp_path / "model.tar.gz"
    with tarfile.open(packed, "w:gz", compresslevel=1) as archive:
        for file in model.iterdir():
            archive.add(file, file.name)
    for name, artifact in (("packed", packed), ("folder", model)):
        export(artifact, "--format", "symbol", "--output", tmp_path / name)
    for name in ("model-symbol.json", "model-0000.params"):
        same = (tmp_path / "packed" / name, tmp_path / "folder" / name)
        assert same[0].read_bytes() == same[1].read_bytes()


def test_onnx_needs_a_size(untouched: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "say --size HEIGHTxWIDTH" in refusal(capsys, untouched, "--format", "onnx")


@pytest.mark.parametrize("size", ["480", "480x", "0x640", "480x640x3", "480x99999", "-4x5"])
def test_a_size_that_is_none(
    untouched: Path, capsys: pytest.CaptureFixture[str], size: str
) -> None:
    text = refusal(capsys, untouched, "--format", "onnx", f"--size={size}")
    assert "no height and width in pixels" in text


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("model.onnx", ("--format", "onnx", "--size", "480x640")),
        ("model-symbol.json", ("--format", "symbol")),
        ("model-0000.params", ("--format", "symbol")),
    ],
)
def test_no_file_is_replaced_unasked(
    untouched: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    options: tuple[str, ...],
) -> None:
    (tmp_path / name).write_text("precious")
    text = refusal(capsys, untouched, *options, "--output", tmp_path)
    assert f"{tmp_path / name} would be replaced" in text
    assert (tmp_path / name).read_text() == "precious"


def test_what_is_no_model(untouched: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "hyperparams.json is missing" in refusal(capsys, untouched, "--format", "symbol")


def test_a_folder_that_takes_no_files_is_told_before_the_model_is_read(
    untouched: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    make_read_only: Callable[[Path], None],
) -> None:
    make_read_only(tmp_path)
    output = tmp_path / "new" / "folder"
    text = refusal(capsys, untouched, "--format", "symbol", "--output", output)
    assert f"Nothing can be written to {output}: Read-only file system (in {tmp_path}, " in text
    assert "or name another --output" in text


@pytest.mark.parametrize("below", [".", "folder"])
def test_a_file_in_the_folder_s_place(
    untouched: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], below: str
) -> None:
    (tmp_path / "file").write_text("precious")
    text = refusal(capsys, untouched, "--format", "symbol", "--output", tmp_path / "file" / below)
    assert f"{tmp_path / 'file'} is not a folder" in text
    assert (tmp_path / "file").read_text() == "precious"


def test_a_folder_in_a_file_s_place(
    untouched: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "model-symbol.json").mkdir()
    text = refusal(capsys, untouched, "--format", "symbol", "--output", tmp_path, "--replace")
    assert f"{tmp_path / 'model-symbol.json'} would be a file, but is a folder" in text
