import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semseg.sagemaker.hyperparameter_rules import (
    AutoOr,
    Epochs,
    Flag,
    Integer,
    Number,
    OneOf,
    Rule,
    Text,
)

SEVERAL = Integer(1, 20)
ANY = Integer(-5)
CLOSED = Number()
OPEN = Number(zero=False, one=False)


@pytest.mark.parametrize(
    ("rule", "value", "expected"),
    [
        (SEVERAL, "1", 1),
        (SEVERAL, " 20\n", 20),
        (SEVERAL, "+007", 7),
        (SEVERAL, 20, 20),
        (ANY, "-5", -5),
        (CLOSED, "0", 0.0),
        (CLOSED, "1", 1.0),
        (CLOSED, "1e-4", 0.0001),
        (CLOSED, ".5", 0.5),
        (CLOSED, "5E-1", 0.5),
        (CLOSED, 0.25, 0.25),
        (CLOSED, 1, 1.0),
        (OPEN, "0.999", 0.999),
        (Flag(), "True", True),
        (Flag(), " fALSE ", False),
        (Flag(), True, True),
        (OneOf("a", "b"), " b ", "b"),
        (Epochs(), "10, 20", (10, 20)),
        (Epochs(), "20,10", (10, 20)),
        (Epochs(), "7", (7,)),
        (Epochs(), "", ()),
        (Epochs(), (3, 4), (3, 4)),
        (Epochs(), 7, (7,)),
        (AutoOr(SEVERAL), "auto", None),
        (AutoOr(SEVERAL), "3", 3),
        (Text(), "validation:mIOU", "validation:mIOU"),
    ],
)
def test_what_is_allowed_is_read(rule: Rule, value: object, expected: object) -> None:
    assert rule.check(value) == expected
    assert type(rule.check(value)) is type(expected)


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        *(
            (SEVERAL, text)
            for text in ("0", "21", "-1", "", " ", "ten", "1.0", "1e1", "1_0", "0x1")
        ),
        *((SEVERAL, value) for value in ("٣", "1 2", "9" * 5000, True, None, [1], {}, 1.5, (1,))),
        (ANY, "-6"),
        *(
            (CLOSED, text)
            for text in ("-0.1", "1.0001", "nan", "inf", "-inf", "1e999", "", ".", "e")
        ),
        *((CLOSED, value) for value in ("0,5", "1_0", "0.5x", math.nan, math.inf, True, None, [0])),
        *((OPEN, text) for text in ("0", "0.0", "1", "1.0", "1e-999")),
        (Number(zero=False), "0"),
        (Number(one=False), "1"),
        *((Flag(), value) for value in ("yes", "1", "", "TrueTrue", 1, 0, None)),
        *((OneOf("a", "b"), value) for value in ("A", "ab", "", None, ["a"])),
        *((Epochs(), text) for text in ("10,", ",", "0, 10", "-1", "10; 20", "1.5", "a", "[1, 2]")),
        *((Epochs(), value) for value in (None, [10, 20], {})),
        (AutoOr(SEVERAL), "Auto"),
        (Text(), None),
    ],
)
def test_what_is_not_allowed_is_refused_with_what_is(rule: Rule, value: object) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - the whole message is compared
        rule.check(value)
    assert str(raised.value) == rule.allowed


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (SEVERAL, "an integer from 1 to 20"),
        (ANY, "an integer of at least -5"),
        (CLOSED, "a number of at least 0 and at most 1"),
        (OPEN, "a number above 0 and below 1"),
        (Flag(), "True or False"),
        (OneOf("a"), "a"),
        (OneOf("a", "b", "c"), "a, b or c"),
        (AutoOr(SEVERAL), "auto or an integer from 1 to 20"),
        (Epochs(), "a comma-separated list of epochs, such as 10, 20"),
    ],
)
def test_rules_say_in_words_what_they_allow(rule: Rule, words: str) -> None:
    assert rule.allowed == words


@given(st.floats(min_value=0, max_value=1))
def test_every_number_that_python_prints_is_read_back(value: float) -> None:
    assert CLOSED.check(repr(value)) == value


@given(st.text())
def test_no_text_whatever_brings_a_rule_down(text: str) -> None:
    for rule in (SEVERAL, CLOSED, Flag(), OneOf("a"), Epochs(), AutoOr(ANY), Text()):
        try:
            rule.check(text)
        except ValueError as error:
            assert str(error) == rule.allowed  # noqa: PT017 - either outcome is right
