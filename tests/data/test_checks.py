import time
from pathlib import Path

import pytest

from semseg.data.checks import Dataset, check_datasets
from semseg.sagemaker.channels import Channel, Channels
from semseg.sagemaker.errors import CustomerError


def check(folder, num_classes: int = 2, mini_batch_size: int = 2, samples: int = 3) -> Dataset:
    return check_datasets(folder.channels, num_classes, mini_batch_size, samples)


def refusal(folder, **arguments: int) -> list[str]:
    with pytest.raises(CustomerError) as caught:
        check(folder, **arguments)
    return str(caught.value).splitlines()


def test_a_sound_dataset(folder, caplog: pytest.LogCaptureFixture) -> None:
    dataset = check(folder.sound())
    assert [pair.name for pair in dataset.train] == ["a", "b", "nested/c"]
    assert [pair.name for pair in dataset.validation] == ["v", "w"]
    assert caplog.records == []


def test_a_read_only_dataset(folder) -> None:
    folder.sound()
    paths = [folder.root, *folder.root.rglob("*")]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        assert len(check(folder).train) == 3
    finally:
        for path in paths:
            path.chmod(0o755)


def test_every_problem_at_once(folder) -> None:
    folder.sound()
    folder.image("train/unmasked.jpg")
    folder.mask("train_annotation/unseen.png")
    folder.image("train/a.png")
    folder.pair("validation", "large", labels=(0, 4))
    folder.image("validation/size.jpg", size=(30, 30))
    folder.mask("validation_annotation/size.png")
    folder.image("validation/rgb.jpg")
    folder.image("validation_annotation/rgb.png")
    cut = folder.image("validation/v.jpg")
    cut.write_bytes(cut.read_bytes()[:300])
    summary, hint, *lines = refusal(folder, mini_batch_size=16)
    assert summary == (
        "8 problems in the data: 1 mini batch larger than the dataset, 1 unreadable file,"
        " 1 image without a mask, 1 mask without an image, 1 name used twice,"
        " 1 mask that is no single-channel PNG, 1 mask of another size,"
        " 1 mask with labels >= num_classes."
    )
    assert "num_classes must be 5" in hint or "two classes" in hint
    assert [line.split(":")[0] for line in lines] == [
        "train",
        "train/a.png",
        "train/unmasked.jpg",
        "train_annotation/unseen.png",
        "validation/v.jpg",
        "validation_annotation/large.png",
        "validation_annotation/rgb.png",
        "validation_annotation/size.png",
    ]


def test_fewer_images_than_a_batch(folder) -> None:
    assert refusal(folder.sound(), mini_batch_size=4)[1] == (
        "train: 3 images, fewer than mini_batch_size=4:"
        " add images, or set mini_batch_size to 3 or less."
    )


def test_empty_channels(folder) -> None:
    folder.pair("train", "a")
    summary, *lines = refusal(folder, mini_batch_size=1)
    assert summary == "2 problems in the data: 2 empty channels."
    assert [line.split(":")[0] for line in lines] == ["validation", "validation_annotation"]


@pytest.mark.parametrize(
    ("num_classes", "labels", "hint"),
    [
        (3, (1, 2, 3, 255), "Labels seem to be counted from 1 to 3: subtract 1 from each of them."),
        (3, (0, 1, 2, 3), "The largest label is 3: if that is right, num_classes must be 4."),
        (2, (0, 128, 255), "Labels are only 0 and 128: for two classes, turn 128 into 1."),
        (5, (0, 100, 254), "The largest label is 254, and num_classes is at most 254:"),
    ],
)
def test_hints(folder, num_classes: int, labels: tuple[int, ...], hint: str) -> None:
    for split in ("train", "validation"):
        folder.pair(split, "a", labels=labels)
    lines = refusal(folder, num_classes=num_classes, mini_batch_size=1)
    assert lines[1].startswith(hint)


def test_the_first_1024_characters_name_files(folder) -> None:
    for number in range(60):
        folder.pair("train", f"street_{number:03}", labels=(0, 7))
    folder.pair("validation", "v")
    lines = refusal(folder)
    assert lines[-1] == "... and 40 more"
    assert "\n".join(lines)[:1024].count("train_annotation/street_") >= 6


def test_another_number_of_samples_is_a_warning(folder, caplog: pytest.LogCaptureFixture) -> None:
    check(folder.sound(), samples=8)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "num_training_samples is 8, but there are 3 training images" in caplog.text


def test_masks_of_0_and_255_only_are_a_warning(folder, caplog: pytest.LogCaptureFixture) -> None:
    for split in ("train", "validation"):
        folder.pair(split, "a", labels=(0, 255))
    check(folder, mini_batch_size=1, samples=1)
    assert "255 means 'ignore': only class 0 is learned" in caplog.text


def test_camvid_is_sound_and_quickly_checked(shared_data: Path) -> None:
    root = shared_data / "camvid"
    names = ("train", "train_annotation", "validation", "validation_annotation")
    channels = Channels(**{name: Channel(name, root / name, None, "File") for name in names})
    start = time.monotonic()
    dataset = check_datasets(channels, 11, 16, 367)
    assert (len(dataset.train), len(dataset.validation)) == (367, 101)
    assert time.monotonic() - start < 30
