import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

from semseg.sagemaker.record import encode_record
from semseg.sagemaker.recordio import Parts

# Pascal VOC's classes on an ordinary photograph: 42 MiB.
LARGE = (21, 660, 799)


@pytest.fixture(scope="module")
def record_class() -> Any:
    """The documented schema, as far as the answer uses it: proto2, package aialgs.data."""
    kinds, packed = FieldDescriptorProto, {"packed": True}
    file = FileDescriptorProto(name="record.proto", package="aialgs.data", syntax="proto2")
    for name, kind in (("Float32Tensor", kinds.TYPE_FLOAT), ("Int32Tensor", kinds.TYPE_INT32)):
        tensor = file.message_type.add(name=name)
        for number, (field, type_) in enumerate(
            (("values", kind), ("keys", kinds.TYPE_UINT64), ("shape", kinds.TYPE_UINT64)), start=1
        ):
            tensor.field.add(
                name=field,
                number=number,
                type=type_,
                label=kinds.LABEL_REPEATED,
                options=packed,
            )
    value = file.message_type.add(name="Value")
    value.oneof_decl.add(name="value")
    for field, number, message in (
        ("float32_tensor", 2, "Float32Tensor"),
        ("int32_tensor", 7, "Int32Tensor"),
    ):
        value.field.add(
            name=field,
            number=number,
            type=kinds.TYPE_MESSAGE,
            type_name=f".aialgs.data.{message}",
            label=kinds.LABEL_OPTIONAL,
            oneof_index=0,
        )
    record = file.message_type.add(name="Record")
    for number, field in enumerate(("features", "label"), start=1):
        entry = record.nested_type.add(name=f"{field.title()}Entry", options={"map_entry": True})
        entry.field.add(name="key", number=1, type=kinds.TYPE_STRING, label=kinds.LABEL_OPTIONAL)
        entry.field.add(
            name="value",
            number=2,
            type=kinds.TYPE_MESSAGE,
            type_name=".aialgs.data.Value",
            label=kinds.LABEL_OPTIONAL,
        )
        record.field.add(
            name=field,
            number=number,
            type=kinds.TYPE_MESSAGE,
            type_name=f".aialgs.data.Record.{entry.name}",
            label=kinds.LABEL_REPEATED,
        )
    pool = DescriptorPool()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName("aialgs.data.Record"))


def decode(record_class: Any, data: bytes) -> npt.NDArray[np.float32]:
    """The steps of AWS's own notebook, after it has taken the record out of its frame."""
    record = record_class()
    record.ParseFromString(data)
    assert set(record.features) == {"shape", "target"}
    assert not record.label
    shape = list(record.features["shape"].int32_tensor.values)
    assert (len(shape), shape[0]) == (4, 1)
    values = record.features["target"].float32_tensor.values
    mask = np.reshape(np.array(values, dtype=np.float32), shape)
    return np.squeeze(mask, axis=0)


def payload(parts: Parts) -> bytes:
    framed = b"".join(parts)
    return framed[8 : 8 + int.from_bytes(framed[4:8], "little")]


def noise(*shape: int) -> npt.NDArray[np.float32]:
    return np.random.default_rng(0).random(shape, dtype=np.float32)


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 3, 5), (254, 2, 1), (3, 130, 300)])
def test_protobuf_reads_it_by_the_documented_schema(
    record_class: Any, shape: tuple[int, int, int]
) -> None:
    probabilities = noise(*shape)
    decoded = decode(record_class, payload(encode_record(probabilities)))
    np.testing.assert_array_equal(decoded, probabilities)


def test_it_is_what_protobuf_itself_writes(record_class: Any) -> None:
    probabilities = noise(3, 4, 5)
    record = record_class()
    record.features["shape"].int32_tensor.values.extend([1, 3, 4, 5])
    record.features["target"].float32_tensor.values.extend(probabilities.ravel().tolist())
    parsed = record_class.FromString(payload(encode_record(probabilities)))
    assert parsed == record
    assert len(payload(encode_record(probabilities))) == record.ByteSize()


@pytest.mark.parametrize(
    "probabilities",
    [
        noise(4, 5, 3).transpose(2, 0, 1),
        noise(3, 8, 10)[:, ::2, ::2],
        noise(3, 4, 5).astype(">f4"),
        np.asfortranarray(noise(3, 4, 5)),
    ],
    ids=["transposed", "strided", "big-endian", "fortran"],
)
def test_any_layout_in_memory_will_do(
    record_class: Any, probabilities: npt.NDArray[np.float32]
) -> None:
    decoded = decode(record_class, payload(encode_record(probabilities)))
    np.testing.assert_array_equal(decoded, probabilities)


def test_a_large_answer_is_hardly_larger_than_its_numbers() -> None:
    probabilities = noise(*LARGE)
    framed = b"".join(encode_record(probabilities))
    assert len(framed) - probabilities.nbytes < 100


@pytest.mark.parametrize(
    "wrong",
    [
        noise(3, 4),
        noise(1, 3, 4, 5),
        noise(3, 4, 5).astype(np.float64),
        np.zeros((3, 4, 5), np.uint8),
        noise(3, 0, 5),
    ],
    ids=["two dimensions", "four dimensions", "float64", "uint8", "empty"],
)
def test_anything_else_is_refused(wrong: npt.NDArray[Any]) -> None:
    with pytest.raises(ValueError, match=r"must be float32 of shape \(C, H, W\)"):
        encode_record(wrong)


def test_mxnets_own_reader_takes_it_out_of_its_frame(tmp_path: Path, record_class: Any) -> None:
    """MXRecordIO is what AWS's notebook uses. In a process of its own, as MXNet is slow to load."""
    if importlib.util.find_spec("mxnet") is None:
        pytest.skip("MXNet is not installed")
    probabilities = [noise(3, 7, 5), noise(2, 1, 3)]
    (tmp_path / "answer").write_bytes(
        b"".join(part for each in probabilities for part in encode_record(each))
    )
    script = (
        "import sys, mxnet as mx\n"
        "records = mx.recordio.MXRecordIO(sys.argv[1], 'r')\n"
        "for target in sys.argv[2:]: open(target, 'wb').write(records.read())\n"
        "assert records.read() is None\n"
    )
    taken = [tmp_path / "first", tmp_path / "second"]
    subprocess.run([sys.executable, "-c", script, tmp_path / "answer", *taken], check=True)
    for path, expected in zip(taken, probabilities, strict=True):
        np.testing.assert_array_equal(decode(record_class, path.read_bytes()), expected)
