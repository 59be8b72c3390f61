"""The documented protobuf schema of SageMaker's Record (`aialgs.data`), as clients have it."""

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_FIELD = descriptor_pb2.FieldDescriptorProto


def _schema() -> descriptor_pb2.FileDescriptorProto:
    schema = descriptor_pb2.FileDescriptorProto(name="record.proto", package="aialgs.data")
    for name, kind in [("Float32Tensor", _FIELD.TYPE_FLOAT), ("Int32Tensor", _FIELD.TYPE_INT32)]:
        tensor = schema.message_type.add(name=name)
        values = tensor.field.add(name="values", number=1, type=kind, label=_FIELD.LABEL_REPEATED)
        values.options.packed = True
    value = schema.message_type.add(name="Value")
    value.oneof_decl.add(name="value")
    for name, kind, number in [
        ("float32_tensor", "Float32Tensor", 2),
        ("int32_tensor", "Int32Tensor", 7),
    ]:
        value.field.add(
            name=name,
            number=number,
            type=_FIELD.TYPE_MESSAGE,
            type_name=f".aialgs.data.{kind}",
            label=_FIELD.LABEL_OPTIONAL,
            oneof_index=0,
        )
    record = schema.message_type.add(name="Record")
    entry = record.nested_type.add(name="FeaturesEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=_FIELD.TYPE_STRING, label=_FIELD.LABEL_OPTIONAL)
    entry.field.add(
        name="value",
        number=2,
        type=_FIELD.TYPE_MESSAGE,
        type_name=".aialgs.data.Value",
        label=_FIELD.LABEL_OPTIONAL,
    )
    record.field.add(
        name="features",
        number=1,
        type=_FIELD.TYPE_MESSAGE,
        type_name=".aialgs.data.Record.FeaturesEntry",
        label=_FIELD.LABEL_REPEATED,
    )
    return schema


_pool = descriptor_pool.DescriptorPool()
_pool.Add(_schema())

Record = message_factory.GetMessageClass(_pool.FindMessageTypeByName("aialgs.data.Record"))
