import pytest

from semseg.sagemaker.problems import Problem, did_you_mean, shorten, show, summarize


def test_the_summary_comes_first_and_each_problem_has_a_line() -> None:
    problems = [Problem("epochs", "too few"), Problem("gamma1", "too large")]
    assert summarize("x.json", problems) == (
        "x.json: 2 problems (epochs, gamma1)\nepochs: too few\ngamma1: too large"
    )


def test_a_single_problem_is_spoken_of_in_the_singular() -> None:
    assert summarize("x.json", [Problem("epochs", "?")]).startswith("x.json: 1 problem (epochs)\n")


def test_many_problems_are_counted_and_a_name_with_two_is_named_once() -> None:
    problems = [Problem(f"p{number // 2}", "wrong") for number in range(40)]
    summary, *lines = summarize("x.json", problems).splitlines()
    assert summary.startswith("x.json: 40 problems (p0, p1, ")
    assert summary.endswith(" and 10 more)")
    assert len(lines) == 40


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("optimzer", "; did you mean 'optimizer'?"),
        ("Learning-Rate", "; did you mean 'learning_rate'?"),
        ("zzz", ""),
    ],
)
def test_the_nearest_name_is_suggested(name: str, hint: str) -> None:
    assert did_you_mean(name, ["optimizer", "learning_rate"]) == hint


def test_values_are_shown_as_written_and_never_endless() -> None:
    assert show("ten") == "'ten'"
    assert show(None) == "null"
    assert show(True) == "true"
    assert len(show("x" * 5000)) <= 80
    assert len(show(["x"] * 5000)) <= 80


def test_names_that_would_spoil_a_line_are_quoted() -> None:
    assert shorten("epochs") == "epochs"
    assert shorten("two\nlines") == "'two\\nlines'"
    assert len(shorten("x" * 300)) <= 80
