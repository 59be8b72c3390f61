from semseg.data.problems import Kind, Problem, message


def test_one_problem() -> None:
    text = message([Problem(Kind.UNREADABLE, "train/a.jpg", "The file is empty.")])
    assert text == ("1 problem in the data: 1 unreadable file.\ntrain/a.jpg: The file is empty.")


def test_counts_then_hints_then_whole_channels_then_twenty_files_by_name() -> None:
    problems = [
        Problem(Kind.LABEL_TOO_LARGE, f"train_annotation/{n:02}.png", "label 9")
        for n in reversed(range(30))
    ]
    problems += [
        Problem(Kind.IMAGE_WITHOUT_MASK, "train/x.jpg", "no mask"),
        Problem(Kind.EMPTY_CHANNEL, "validation", "is empty"),
    ]
    lines = message(problems, ["A hint."]).splitlines()
    assert lines[:5] == [
        "32 problems in the data: 1 empty channel, 1 image without a mask,"
        " 30 masks with labels >= num_classes.",
        "A hint.",
        "validation: is empty",
        "train/x.jpg: no mask",
        "train_annotation/00.png: label 9",
    ]
    assert lines[-2:] == ["train_annotation/17.png: label 9", "... and 12 more"]
    assert len(lines) == 2 + 20 + 1
