"""What a dataset says of itself, so that a run does not go on with another one."""

from pathlib import Path

from semseg.data.checks import Dataset
from semseg.data.pairs import Pair


def dataset(train: str = "abc", validation: str = "vw") -> Dataset:
    def pairs(names: str) -> tuple[Pair, ...]:
        return tuple(Pair(name, Path(), Path()) for name in names)

    return Dataset(pairs(train), pairs(validation))


def test_the_same_names_give_the_same_facts() -> None:
    assert dataset().facts() == dataset().facts()
    assert dataset().facts()["training images"] == "3"
    assert dataset().facts()["validation images"] == "2"


def test_other_names_or_another_order_give_others() -> None:
    facts = [dataset(*names).facts() for names in (("abc", "vw"), ("abd", "vw"), ("bac", "vw"))]
    facts.append(dataset(validation="vx").facts())
    assert len({tuple(one.items()) for one in facts}) == 4
