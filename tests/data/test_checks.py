import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from semseg.data.checks import Dataset, check_datasets
from semseg.data.label_map_files import LabelMaps
from semseg.data.label_maps import DEFAULT, parse_label_map
from semseg.data.problems import UnsoundData
from semseg.sagemaker.channels import Channel, Channels
from semseg.sagemaker.errors import CustomerError


def check(
    folder, num_classes: int = 2, mini_batch_size: int = 2, samples: int = 3, hosts: int = 1
) -> Dataset:
    return check_datasets(folder.channels, num_classes, mini_batch_size, samples, hosts=hosts)


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
    summary, hint, conversion, *lines = refusal(folder, mini_batch_size=16)
    assert summary == (
        "8 problems in the data: 1 mini batch larger than the dataset, 1 unreadable file,"
        " 1 image without a mask, 1 mask without an image, 1 name used twice,"
        " 1 mask that is no single-channel PNG, 1 mask of another size,"
        " 1 mask with labels >= num_classes."
    )
    assert hint == "The largest label is 4: if that is right, num_classes must be 5."
    assert conversion.endswith(
        "semseg convert-masks validation_annotation validation_annotation_classes"
        " --color-map FILE --nearest"
    )
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


@pytest.mark.parametrize(
    ("mini_batch_size", "hosts", "advice"),
    [
        (2, 2, "mini_batch_size=2 on each of 2 hosts: add images, or set mini_batch_size to 1 or"),
        (1, 4, "mini_batch_size=1 on each of 4 hosts: add images, or use fewer hosts."),
    ],
)
def test_fewer_images_than_a_batch_for_each_host(
    folder, mini_batch_size: int, hosts: int, advice: str
) -> None:
    assert check(folder.sound(), mini_batch_size=1, hosts=3)
    assert advice in refusal(folder, mini_batch_size=mini_batch_size, hosts=hosts)[1]


def test_empty_channels(folder) -> None:
    folder.pair("train", "a")
    summary, *lines = refusal(folder, mini_batch_size=1)
    assert summary == "2 problems in the data: 2 empty channels."
    assert [line.split(":")[0] for line in lines] == ["validation", "validation_annotation"]


@pytest.mark.parametrize(
    ("num_classes", "labels", "hint"),
    [
        (
            3,
            (1, 2, 3, 255),
            "Labels seem to be counted from 1 to 3: subtract 1 from each of them. Or give a label"
            ' map (label, pixel value): {"map": {"0": 1, "1": 2, "2": 3}}',
        ),
        (3, (0, 1, 2, 3), "The largest label is 3: if that is right, num_classes must be 4."),
        (
            2,
            (0, 128, 255),
            "Labels are only 0 and 128: for two classes, turn 128 into 1. Or give a label"
            ' map (label, pixel value): {"map": {"0": 0, "1": 128}}',
        ),
        (5, (0, 100, 254), "The largest label is 254, and num_classes is at most 254:"),
        (
            9,
            tuple(range(0, 18, 2)),
            "The largest label is 16: if that is right, num_classes must be 17."
            " Or give a label map.",
        ),
    ],
)
def test_hints(folder, num_classes: int, labels: tuple[int, ...], hint: str) -> None:
    for split in ("train", "validation"):
        folder.pair(split, "a", labels=labels)
    lines = refusal(folder, num_classes=num_classes, mini_batch_size=1)
    assert lines[1].startswith(hint)


def test_no_label_map_is_proposed_beside_a_label_map(folder) -> None:
    for split in ("train", "validation"):
        folder.pair(split, "a", labels=(0, 9))
    maps = LabelMaps(train=parse_label_map({"scale": 3}, 2), validation=DEFAULT)
    with pytest.raises(UnsoundData) as caught:
        check_datasets(folder.channels, 2, 1, 1, maps)
    assert caught.value.hints == (
        "The largest label is 9: if that is right, num_classes must be 10.",
    )


def palette_mask(folder, name: str, palette: dict[int, int], labels: tuple[int, ...]) -> None:
    """A mask with these colours, 0xrrggbb, at these indices."""
    with Image.open(folder.mask(name, labels=labels)) as grey:
        picture = Image.frombytes("P", grey.size, grey.tobytes())
    codes = [palette.get(index, 0) for index in range(256)]
    picture.putpalette([code >> shift & 255 for code in codes for shift in (16, 8, 0)])
    picture.save(folder.root / name)


def test_palette_indices_that_are_no_class_numbers_are_told_from_labels(folder) -> None:
    folder.sound()
    palette = {38: 0x2ACF59, 75: 0xF28333}
    palette_mask(folder, "train_annotation/a.png", palette, labels=(38, 75))
    summary, _, hint, line = refusal(folder)
    assert "1 mask with labels >= num_classes" in summary
    assert hint == (
        "Masks of train have palettes. If their colours tell the classes, and not their indices:"
        " semseg convert-masks train_annotation train_annotation_classes --color-map FILE"
    )
    assert "labels 38 (372 pixels of #2acf59), 75 (12 pixels of #f28333)" in line


def test_palettes_numbered_anew_for_each_mask_are_a_warning(
    folder, caplog: pytest.LogCaptureFixture
) -> None:
    folder.sound()
    palette_mask(folder, "train_annotation/a.png", {0: 0xFFFFFF, 1: 0x2ACF59}, labels=(0, 1))
    palette_mask(folder, "train_annotation/b.png", {1: 0xFFFFFF, 0: 0x2ACF59}, labels=(0, 1))
    check(folder)
    (record,) = caplog.records
    assert record.getMessage() == (
        "The colour #2acf59 has index 1 in train_annotation/a.png and index 0 in"
        " train_annotation/b.png: these palettes are numbered in different ways, and labels are the"
        " indices. If the colours tell the classes, convert the masks: semseg convert-masks"
        " train_annotation train_annotation_classes --color-map FILE"
    )


def colour_mask(folder, name: str, mode: str, *colours: str) -> None:
    picture = Image.new(mode, (24, 16), colours[0])
    for column, colour in enumerate(colours[1:]):
        picture.paste(colour, (column, 0, column + 1, 16))
    picture.save(folder.root / name)


@pytest.mark.parametrize(
    ("mode", "colours", "names"),
    [
        ("RGB", ("black", "red"), "#000000, #ff0000"),
        ("RGBA", ("#00000000", "red", "blue"), "transparent, #0000ff, #ff0000"),
    ],
)
def test_masks_in_colour_are_told_the_conversion(
    folder, mode: str, colours: tuple[str, ...], names: str
) -> None:
    folder.sound()
    colour_mask(folder, "validation_annotation/v.png", mode, *colours)
    summary, hint, line = refusal(folder)
    assert summary == "1 problem in the data: 1 mask that is no single-channel PNG."
    assert hint == (
        "Masks of validation are in colour. For class numbers: semseg convert-masks"
        " validation_annotation validation_annotation_classes --color-map FILE"
    )
    assert line == (
        f"validation_annotation/v.png: The mask is {mode} with {len(colours)} colours ({names});"
        " a mask must be an 8-bit PNG with a single channel whose values are class numbers:"
        " `semseg convert-masks` turns colours into class numbers."
    )


def test_smoothed_masks_are_told_from_those_of_few_colours(folder) -> None:
    folder.sound()
    colours = (f"#{level:02x}0000" for level in range(0, 230, 10))
    colour_mask(folder, "train_annotation/a.png", "RGB", "red", *colours)
    hint = refusal(folder)[1]
    assert hint == (
        "Masks of train are in colour, up to 24 colours, more than num_classes=2: edges may be"
        " smoothed (anti-aliased). For the class numbers of the nearest colours: semseg"
        " convert-masks train_annotation train_annotation_classes --color-map FILE --nearest"
    )


def test_masks_under_ground_truths_own_names(folder) -> None:
    folder.sound()
    for number in range(2):
        folder.mask(f"train_annotation/{number}_2019-06-03T12:34:56.789012.png")
    hint = refusal(folder)[1]
    assert hint.startswith("Masks have the names that Ground Truth gives them. Its output manifest")


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


def test_a_class_that_no_mask_has_is_a_warning(folder, caplog: pytest.LogCaptureFixture) -> None:
    folder.pair("train", "a", labels=(0, 2))
    folder.pair("validation", "b", labels=(0, 1, 2))
    check(folder, num_classes=4, mini_batch_size=1, samples=1)
    assert [record.getMessage() for record in caplog.records] == [
        "No mask of train has a pixel of class 1, 3, which cannot be learned.",
        "No mask of validation has a pixel of class 3, which counts 0 in mIOU.",
    ]


def test_masks_of_0_and_255_only_are_a_warning(folder, caplog: pytest.LogCaptureFixture) -> None:
    for split in ("train", "validation"):
        folder.pair(split, "a", labels=(0, 255))
    check(folder, mini_batch_size=1, samples=1)
    assert "255 means 'ignore': only class 0 is learned" in caplog.text


def test_camvid_is_sound_and_quickly_checked(shared: Callable[[str], Path]) -> None:
    root = shared("data/camvid")
    names = ("train", "train_annotation", "validation", "validation_annotation")
    channels = Channels(**{name: Channel(name, root / name, None, "File") for name in names})
    start = time.monotonic()
    for name in names:
        for file in (root / name).iterdir():
            with Image.open(file) as image:
                image.load()
    decoded = time.monotonic()
    dataset = check_datasets(channels, 11, 16, 367)
    checked = time.monotonic()
    assert (len(dataset.train), len(dataset.validation)) == (367, 101)
    # Every file has to be decoded once; the rest is little beside that, on whatever machine.
    assert checked - decoded < 10 * (decoded - start)
