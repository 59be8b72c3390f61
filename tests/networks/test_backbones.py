import hashlib
import shutil
import threading
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import mxnet as mx
import numpy as np
import pytest
from gluoncv.model_zoo import model_store

from semseg.networks.backbones import Sources, fetch, load, locate
from semseg.networks.zoo import build
from semseg.sagemaker.errors import CustomerError

CLOSED = "http://127.0.0.1:9/"  # the discard port, where nobody listens


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    """An empty folder, an empty cache, and a mirror that does not answer."""
    (tmp_path / "folder").mkdir()
    return Sources(tmp_path / "folder", tmp_path / "cache", CLOSED)


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """A mirror of GluonCV's store on loopback; call it with the file that it is to serve."""
    root = tmp_path / "mirror"
    (root / "gluon" / "models").mkdir(parents=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(root)))
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("MXNET_GLUON_REPO", address)

    def serve(file: Path, announced_sha1: str | None = None) -> str:
        sha1 = announced_sha1 or hashlib.sha1(file.read_bytes()).hexdigest()
        monkeypatch.setitem(model_store._model_sha1, "resnet50_v1s", sha1)
        name = f"resnet50_v1s-{sha1[:8]}"
        with zipfile.ZipFile(root / "gluon" / "models" / f"{name}.zip", "w") as archive:
            archive.write(file, f"{name}.params")
        return address

    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield serve
    server.shutdown()
    thread.join()
    server.server_close()


def complaint(backbone: str, sources: Sources) -> str:
    with pytest.raises(CustomerError) as raised:
        locate(backbone, sources)
    return str(raised.value)


def named_by_checksum(file: Path, folder: Path) -> Path:
    checksum = hashlib.sha1(file.read_bytes()).hexdigest()[:8]
    return Path(shutil.copy(file, folder / f"resnet50_v1s-{checksum}.params"))


def test_found_in_the_folder(sources: Sources, backbone_file: Path) -> None:
    expected = shutil.copy(backbone_file, sources.folder)
    assert locate("resnet-50", sources) == Path(expected)


def test_a_file_named_by_its_checksum_goes_first(sources: Sources, backbone_file: Path) -> None:
    shutil.copy(backbone_file, sources.folder / "resnet50_v1s-000.params")
    expected = named_by_checksum(backbone_file, sources.folder)
    assert locate("resnet-50", sources) == expected


def test_not_to_be_had_names_both_ways_out(sources: Sources) -> None:
    message = complaint("resnet-101", sources)
    for part in (
        str(sources.folder),
        "resnet101_v1s",
        "semseg fetch-backbones",
        "MXNET_GLUON_REPO",
        "SEMSEG_BACKBONES",
        "use_pretrained_model=False",
    ):
        assert part in message


def test_a_file_whose_checksum_is_not_that_of_its_name(
    sources: Sources, backbone_file: Path
) -> None:
    path = named_by_checksum(backbone_file, sources.folder)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert "is damaged: its SHA-1 does not start with" in complaint("resnet-50", sources)


def test_a_file_cut_short(sources: Sources, cut_file: Path) -> None:
    path = shutil.copy(cut_file, sources.folder)
    assert f"{path} is cut short" in complaint("resnet-50", sources)


def test_the_other_backbone_under_this_name(sources: Sources, backbone_file: Path) -> None:
    shutil.copy(backbone_file, sources.folder / "resnet101_v1s.params")
    assert "holds resnet-50, and resnet-101 is wanted" in complaint("resnet-101", sources)


def test_fetched_from_a_mirror(
    sources: Sources, backbone_file: Path, mirror: Callable[..., str]
) -> None:
    address = mirror(backbone_file)
    path = locate("resnet-50", Sources(sources.folder, sources.cache, address))
    assert path.parent == sources.cache
    assert path.read_bytes() == backbone_file.read_bytes()
    # The second time nobody is asked.
    assert locate("resnet-50", sources) == path


def test_a_mirror_that_serves_another_file_than_gluoncv_knows(
    sources: Sources, backbone_file: Path, mirror: Callable[..., str]
) -> None:
    address = mirror(backbone_file, announced_sha1="0" * 40)
    message = complaint("resnet-50", Sources(sources.folder, sources.cache, address))
    assert "different hash" in message
    assert "use_pretrained_model=False" in message


def test_a_mirror_that_does_not_have_it(
    sources: Sources, backbone_file: Path, mirror: Callable[..., str]
) -> None:
    address = mirror(backbone_file)
    message = complaint("resnet-101", Sources(sources.folder, sources.cache, address))
    assert "404" in message


@pytest.mark.parametrize("home", [None, "home"])
def test_fetch_fills_the_folder_wherever_gluoncv_keeps_its_own(
    tmp_path: Path,
    backbone_file: Path,
    mirror: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    home: str | None,
) -> None:
    if home:
        monkeypatch.setenv("MXNET_HOME", str(tmp_path / home))
    path = fetch("resnet-50", tmp_path / "new", mirror(backbone_file))
    assert path.parent == tmp_path / "new"
    assert path.read_bytes() == backbone_file.read_bytes()


def test_loaded_values_are_the_files_and_the_head_is_not_touched(backbone_file: Path) -> None:
    network = build("fcn", "resnet-50", 2)
    network.start_untrained(mx.cpu())
    head = network.head.block[4].weight.data().asnumpy()
    load(network, backbone_file)
    values = mx.nd.load(str(backbone_file))
    loaded = network.layer3[5].conv2.weight.data()
    assert loaded.dtype == np.float32
    np.testing.assert_array_equal(
        loaded.asnumpy(), values["layer3.5.conv2.weight"].astype("float32").asnumpy()
    )
    np.testing.assert_array_equal(network.head.block[4].weight.data().asnumpy(), head)


def test_wrong_shapes_and_missing_parameters_are_named(backbone_file: Path, tmp_path: Path) -> None:
    values = mx.nd.load(str(backbone_file))
    values["conv1.0.weight"] = mx.nd.zeros((32, 3, 3, 3))
    del values["bn1.gamma"]
    path = tmp_path / "wrong.params"
    mx.nd.save(str(path), values)
    network = build("fcn", "resnet-50", 2)
    network.start_untrained(mx.cpu())
    with pytest.raises(CustomerError, match=r"does not fit: .* and 1 more"):
        load(network, path)


def test_the_environment_says_where(tmp_path: Path) -> None:
    environ = {"SEMSEG_BACKBONES": "/b", "MXNET_HOME": "/h", "MXNET_GLUON_REPO": "http://m"}
    assert Sources.from_environment(environ) == Sources(Path("/b"), Path("/h/models"), "http://m")
    assert Sources.from_environment({}).folder == Path("/opt/semseg/backbones")
    assert Sources.from_environment({}).mirror is None


def test_weights_that_were_really_trained(shared: Callable[[str], Path]) -> None:
    file = shared("data/backbones/resnet50_v1s-tiny-imagenet-fp16.params")
    assert locate("resnet-50", Sources(file.parent, file.parent)) == file
    network = build("deeplab", "resnet-50", 2)
    network.start_untrained(mx.cpu())
    load(network, file)
    assert np.isfinite(network(mx.nd.ones((1, 3, 32, 32)))[0].asnumpy()).all()
