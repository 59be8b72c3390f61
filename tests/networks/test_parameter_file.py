from contextlib import suppress
from pathlib import Path

import mxnet as mx
import numpy as np
import pytest

from semseg.networks.parameter_file import ParameterFileError, read_shapes


def save(path: Path, **arrays: mx.nd.NDArray) -> Path:
    mx.nd.save(str(path), arrays)
    return path


def test_names_and_shapes_of_every_type(tmp_path: Path) -> None:
    types = ("float32", "float64", "float16", "uint8", "int32", "int8", "int64")
    path = save(
        tmp_path / "types.params",
        **{name: mx.nd.ones((2, 3), dtype=name) for name in types},
        vector=mx.nd.ones(7),
    )
    assert read_shapes(path) == {**dict.fromkeys(types, (2, 3)), "vector": (7,)}


def test_arrays_of_numpy_semantics(tmp_path: Path) -> None:
    """Version 3 of the format, in which a shape may have no axis."""
    path = tmp_path / "numpy.params"
    with mx.util.np_shape(True):
        mx.nd.save(str(path), {"scalar": mx.nd.array(np.float32(3)).reshape(())})
    assert read_shapes(path) == {"scalar": ()}


def test_a_prefix_of_symbolic_checkpoints_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "symbol.params"
    mx.nd.save(str(path), {"arg:weight": mx.nd.ones(2), "aux:mean": mx.nd.ones(2)})
    assert list(read_shapes(path)) == ["weight", "mean"]


def test_every_cut_is_found(tmp_path: Path) -> None:
    path = save(tmp_path / "whole.params", first=mx.nd.ones((2, 2)), second=mx.nd.ones(3))
    data = path.read_bytes()
    cut = tmp_path / "cut.params"
    for length in range(len(data)):
        cut.write_bytes(data[:length])
        with pytest.raises(ParameterFileError, match=r"is cut short|is empty"):
            read_shapes(cut)


def test_flipped_bytes_never_raise_anything_else(tmp_path: Path) -> None:
    path = save(tmp_path / "whole.params", first=mx.nd.ones((2, 2)), second=mx.nd.ones(3))
    data = path.read_bytes()
    damaged = tmp_path / "damaged.params"
    for place in range(len(data)):
        damaged.write_bytes(data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :])
        with suppress(ParameterFileError):
            read_shapes(damaged)


def test_other_files(tmp_path: Path) -> None:
    path = tmp_path / "other"
    path.write_bytes(b"PK\x03\x04" + bytes(100))
    with pytest.raises(ParameterFileError, match="is not a Gluon parameter file"):
        read_shapes(path)
