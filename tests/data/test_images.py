import io
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile

from semseg.data.images import (
    Header,
    ImageError,
    NotAMask,
    TooManyPixels,
    open_image,
    read_header,
    read_image,
    read_mask,
)

NOISE = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
UNREADABLE_ODDITIES = {
    "INDEX.md",
    "exifsamples-README",
    "pillow-broken.png",
    "pillow-truncated_jpeg.jpg",
}


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def png(pixels: np.ndarray) -> bytes:
    return encoded(Image.fromarray(pixels), "PNG")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP"])
def test_a_header_tells_format_and_size(kind: str) -> None:
    data = encoded(Image.fromarray(NOISE), kind)

    assert read_header(data) == Header(kind, width=50, height=40)
    with pytest.raises(TooManyPixels, match="50 x 40"):
        read_header(data, max_pixels=1999)


def test_a_header_is_read_without_the_pixels() -> None:
    assert read_header(encoded(Image.fromarray(NOISE), "JPEG")[:-500]).height == 40
    for data in (b"", b"no picture"):
        with pytest.raises(ImageError):
            read_header(data)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_lossless_formats_keep_their_pixels(kind: str) -> None:
    image = read_image(encoded(Image.fromarray(NOISE), kind))
    assert image.mode == "RGB"
    np.testing.assert_array_equal(np.asarray(image), NOISE)


@pytest.mark.parametrize("kind", ["JPEG", "GIF", "WEBP", "MPO"])
def test_other_formats_are_read_as_pillow_reads_them(kind: str) -> None:
    data = encoded(Image.fromarray(NOISE), kind)
    expected = Image.open(io.BytesIO(data)).convert("RGB")
    np.testing.assert_array_equal(np.asarray(read_image(data)), np.asarray(expected))


def test_path_bytes_and_file_give_the_same(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png(NOISE))
    for source in (path, path.read_bytes(), io.BytesIO(path.read_bytes())):
        np.testing.assert_array_equal(np.asarray(read_image(source)), NOISE)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "RGB"])
def test_every_mode_becomes_rgb_as_convert_does(mode: str) -> None:
    data = encoded(Image.fromarray(NOISE).convert(mode), "PNG")
    expected = Image.open(io.BytesIO(data)).convert("RGB")
    np.testing.assert_array_equal(np.asarray(read_image(data)), np.asarray(expected))


def test_cmyk_becomes_rgb() -> None:
    assert read_image(encoded(Image.new("CMYK", (8, 8)), "JPEG")).mode == "RGB"


def test_sixteen_bit_grey_is_scaled_not_clipped() -> None:
    grey = np.array([[0, 257, 32896, 65535]], np.uint16)
    pixels = np.asarray(read_image(png(grey)))
    np.testing.assert_array_equal(pixels[..., 0], [[0, 1, 128, 255]])


def test_thirty_two_bit_numbers_are_refused() -> None:
    with pytest.raises(ImageError, match="32-bit"):
        read_image(encoded(Image.new("F", (4, 4)), "TIFF"))


def test_transparency_of_a_palette_is_dropped_without_a_warning() -> None:
    data = encoded(Image.fromarray(NOISE).quantize(8), "PNG", transparency=bytes([0, 99, 255]))
    assert read_image(data).mode == "RGB"


def test_first_picture_of_an_animation() -> None:
    first, second = Image.new("RGB", (8, 8), "red"), Image.new("RGB", (8, 8), "blue")
    data = encoded(first, "GIF", save_all=True, append_images=[second])
    assert read_image(data).getpixel((0, 0)) == (255, 0, 0)


def test_exif_orientation_is_not_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees
    assert read_image(encoded(Image.new("RGB", (30, 20)), "JPEG", exif=exif)).size == (30, 20)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("PNG", {}),
        ("TIFF", {}),
        ("WEBP", {}),
        ("BMP", {}),
    ],
)
def test_a_cut_file_is_an_error_wherever_it_is_cut(kind: str, options: dict[str, object]) -> None:
    data = encoded(Image.fromarray(NOISE), kind, **options)
    # The last two bytes of a BMP only fill up its last row.
    for end in [*range(0, len(data) - 8, 97), len(data) - 8, len(data) - 3]:
        with pytest.raises(ImageError):
            read_image(data[:end])


def test_a_cut_file_is_an_error_after_another_module_allowed_it() -> None:
    data = encoded(Image.fromarray(NOISE), "JPEG")
    ImageFile.LOAD_TRUNCATED_IMAGES = True  # what importing gluoncv does
    with pytest.raises(ImageError, match=r"truncated: its end is missing\.$"):
        read_image(data[: len(data) // 2])
    assert not ImageFile.LOAD_TRUNCATED_IMAGES


def test_cut_files_in_many_threads() -> None:
    whole = encoded(Image.fromarray(NOISE), "JPEG")
    wrong = []

    def read() -> None:
        for _ in range(20):
            read_image(whole)
            try:
                read_image(whole[:-200])
                wrong.append("a cut file was read")
            except ImageError:
                pass

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "The file is empty."),
        (b"no image at all", "is not a JPEG, PNG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "is not a JPEG, PNG"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 40, "is not a JPEG, PNG"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "truncated"),
    ],
)
def test_garbage_gets_one_plain_sentence(data: bytes, words: str) -> None:
    with pytest.raises(ImageError, match=words) as caught:
        read_image(data)
    assert "0x" not in str(caught.value)
    assert str(caught.value).count("\n") == 0


def test_a_damaged_middle_of_a_png_is_an_error() -> None:
    data = bytearray(png(NOISE))
    data[len(data) // 2 : len(data) // 2 + 40] = bytes(40)
    with pytest.raises(ImageError, match=r"^The file is (damaged|truncated)"):
        read_image(bytes(data))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="no such file"):
        read_image(tmp_path / "a.jpg")


def test_the_limit_is_checked_before_decoding() -> None:
    data = png(NOISE)
    assert read_image(data, max_pixels=2000).size == (50, 40)
    with pytest.raises(TooManyPixels, match="50 x 40 = 2000 pixels, the limit is 1999"):
        read_image(data[:60], max_pixels=1999)  # there is nothing to decode


def test_a_hundred_megapixels_without_a_limit() -> None:
    assert open_image(encoded(Image.new("1", (10_000, 10_000)), "PNG")).size == (10_000, 10_000)


def test_pillow_keeps_its_remarks_on_metadata_to_itself(shared: Callable[[str], Path]) -> None:
    file = shared("data/odd-images/pillow-sugarshack_bad_mpo_header.jpg")
    program = (
        "from pathlib import Path; from semseg.data.images import read_image;"
        f"print(read_image(Path({str(file)!r})).size)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("(640, 480)\n", "")


@pytest.mark.filterwarnings("ignore:Image appears to be a malformed MPO:UserWarning")
def test_odd_images(shared: Callable[[str], Path]) -> None:
    files = sorted(shared("data/odd-images").iterdir())
    assert len(files) > 20
    for file in files:
        if file.name in UNREADABLE_ODDITIES:
            with pytest.raises(ImageError, match=r"^The file is "):
                read_image(file)
        else:
            with Image.open(file) as stored:
                size = stored.size
            image = read_image(file)
            assert (image.mode, image.size) == ("RGB", size), file.name


def test_grey_palette_and_two_tone_masks_hold_their_labels() -> None:
    labels = np.array([[0, 1, 7, 255]], np.uint8)
    grey = Image.fromarray(labels)
    assert np.asarray(read_mask(encoded(grey, "PNG"))).tolist() == labels.tolist()
    indexed = Image.new("P", (4, 1))
    indexed.putpalette([value for index in range(256) for value in (255 - index, 3, index)])
    indexed.putdata(labels.ravel().tolist())
    mask = read_mask(encoded(indexed, "PNG"))
    assert mask.mode == "L"
    assert np.asarray(mask).tolist() == labels.tolist()
    two_tone = Image.fromarray(np.array([[False, True]]))
    assert np.asarray(read_mask(encoded(two_tone, "PNG"))).tolist() == [[0, 1]]


def test_voc_masks(shared: Callable[[str], Path]) -> None:
    files = sorted(shared("data/voc-mini").rglob("*.png"))
    assert files
    for file in files:
        labels = set(np.unique(np.asarray(read_mask(file))).tolist())
        assert labels <= {*range(21), 255}
        assert len(labels) > 1


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (Image.fromarray(NOISE), r"The mask is RGB with \d+ colours \((#[0-9a-f]{6}, ){5}\.\.\.\)"),
        (
            Image.new("RGB", (4, 4), "red"),
            r"1 colours? \(#ff0000\).*`semseg convert-masks` turns colours into class numbers\.$",
        ),
        (Image.new("RGBA", (4, 4), "red"), r"The mask is RGBA with 1 colour \(#ff0000\)"),
        (Image.new("RGBA", (4, 4), (9, 9, 9, 0)), r"1 colour \(transparent\)"),
        (Image.new("RGBA", (4, 4), (9, 9, 9, 128)), r"1 colour \(#09090980\)"),
        (Image.new("RGB", (4, 4), (7, 7, 7)), "grey but saved as RGB.*save it as greyscale"),
        (Image.new("LA", (4, 4)), "transparency"),
        (Image.fromarray(np.zeros((4, 4), np.uint16)), "more than 8 bits.*save it with 8 bits"),
    ],
)
def test_refused_masks_say_what_they_are_and_what_to_do(picture: Image.Image, words: str) -> None:
    with pytest.raises(NotAMask, match=words) as caught:
        read_mask(encoded(picture, "PNG"))
    assert "a mask must be an 8-bit PNG with a single channel" in str(caught.value)


def test_a_jpeg_is_no_mask_whatever_its_name(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encoded(Image.new("L", (4, 4)), "JPEG"))
    with pytest.raises(NotAMask, match="The file is a JPEG"):
        read_mask(path)
