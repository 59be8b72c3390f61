import pytest

from semseg.inference.exporting.onnx_operators import (
    TRANSLATIONS,
    Node,
    Untranslatable,
)


@pytest.mark.parametrize(
    ("operator", "attributes", "reason"),
    [
        ("Activation", {"act_type": "tanh"}, "act_type is tanh, not relu"),
        ("BatchNorm", {"fix_gamma": "True"}, "fix_gamma is True, not False"),
        ("Pooling", {"pool_type": "sum"}, "pool_type is sum, not max"),
        ("Pooling", {"pool_type": "max", "pooling_convention": "full"}, "is full, not valid"),
        ("Cast", {"dtype": "float16"}, "dtype is float16, not uint8"),
    ],
)
def test_what_would_need_another_translation_is_refused(
    operator: str, attributes: dict[str, str], reason: str
) -> None:
    node = Node("it", attributes, ["x"], (1, 3, 4, 4), (1, 3, 4, 4))
    with pytest.raises(Untranslatable, match=reason):
        TRANSLATIONS[operator](node)
