"""Archives that hold a model, and archives that were made to do harm."""

import gzip
import io
import os
import shutil
import tarfile
import tempfile
from collections import namedtuple
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semseg.sagemaker import model_archive
from semseg.sagemaker.errors import CustomerError, PlatformError
from semseg.sagemaker.model_archive import unpacked

NAMES = ("hyperparams.json", "model_best.params", "model_algo-1")
CONTENT = {"hyperparams.json": b"{}", "model_algo-1": b"last", "model_best.params": b"best" * 999}


def member(name: str, content: bytes = b"", **settings: object) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for setting, value in settings.items():
        setattr(info, setting, value)
    return info, content


def write(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return path


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where temporary files go; there are none left at the end."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return tmp_path / "model.tar.gz"


def take_out(archive: Path) -> dict[str, bytes]:
    with unpacked(archive, NAMES) as folder:
        return {path.name: path.read_bytes() for path in folder.iterdir()}


def refusal(archive: Path) -> str:
    with pytest.raises(CustomerError) as raised:
        take_out(archive)
    message = str(raised.value)
    assert message.startswith(f"{archive} ")
    assert "\n" not in message
    return message


@pytest.mark.parametrize("prefix", ["", "./", "model/", "./a/b/"])
def test_the_three_files_of_a_job(archive: Path, prefix: str) -> None:
    write(archive, *(member(prefix + name, content) for name, content in CONTENT.items()))
    assert take_out(archive) == CONTENT


@pytest.mark.parametrize("options", [["--format=gnu"], ["--format=pax"], ["--format=ustar"]])
def test_what_tar_packs(archive: Path, tmp_path: Path, options: list[str]) -> None:
    """SageMaker's archives, and those that people make, are tar's own."""
    folder = tmp_path / "model"
    folder.mkdir()
    for name, content in CONTENT.items():
        (folder / name).write_bytes(content)
    command = ["tar", *options, "-czf", str(archive), "-C", str(folder), "."]
    assert os.spawnvp(os.P_WAIT, "tar", command) == 0
    assert take_out(archive) == CONTENT


def test_other_members_are_passed_over_with_a_warning(
    archive: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    outside = tmp_path / "outside"
    others = [
        member(str(outside), b"absolute"),
        member("../../outside", b"up"),
        member("folder", type=tarfile.DIRTYPE),
        member("._model_best.params", b"of a Mac"),
        member("link", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
        member("pipe", type=tarfile.FIFOTYPE),
    ]
    write(archive, *others, member("model_best.params", b"best"))
    assert take_out(archive) == {"model_best.params": b"best"}
    assert not outside.exists()
    assert caplog.messages == [
        f"{archive}: not read: {outside}, ../../outside, ._model_best.params, link, pipe"
    ]


@pytest.mark.parametrize(
    ("harmful", "words"),
    [
        (member("/etc/model_best.params", b"x"), "would leave its folder"),
        (member("../model_best.params", b"x"), "would leave its folder"),
        (member("a/../../model_best.params", b"x"), "would leave its folder"),
        (
            member("model_best.params", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
            "is a link to /etc/passwd and no plain file",
        ),
        (
            member("model_best.params", type=tarfile.LNKTYPE, linkname="../../secret"),
            "is a link to ../../secret and no plain file",
        ),
        (member("model_best.params", type=tarfile.CHRTYPE), "is a device and no plain file"),
        (member("model_best.params", type=tarfile.FIFOTYPE), "is a device and no plain file"),
        (member("model_best.params", type=tarfile.DIRTYPE), "is a folder and no plain file"),
    ],
)
def test_a_member_that_no_job_packs_is_refused_by_name(
    archive: Path, harmful: tuple[tarfile.TarInfo, bytes], words: str
) -> None:
    message = refusal(write(archive, member("hyperparams.json", b"{}"), harmful))
    assert f"has a member {harmful[0].name}, which {words}" in message


def test_a_link_does_not_help_a_file_out_of_the_folder(archive: Path, tmp_path: Path) -> None:
    """The trick of old: a link to a folder outside, then a file below that link."""
    write(
        archive,
        member("model", type=tarfile.SYMTYPE, linkname=str(tmp_path)),
        member("model/model_best.params", b"best"),
    )
    assert take_out(archive) == {"model_best.params": b"best"}
    assert not (tmp_path / "model_best.params").exists()


def test_a_name_that_is_there_twice_is_refused(archive: Path) -> None:
    write(archive, member("a/model_best.params", b"1"), member("b/model_best.params", b"2"))
    assert "b/model_best.params, which is not the only model_best.params" in refusal(archive)


def test_an_archive_of_something_else_says_what_it_holds(archive: Path) -> None:
    message = refusal(write(archive, member("image.jpg", b"1")))
    assert (
        "has none of hyperparams.json, model_best.params, model_algo-1, only image.jpg" in message
    )
    assert "no file at all" in refusal(write(archive))


def test_a_file_that_is_too_large_is_not_begun(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gigabyte of zeros takes a megabyte while packed."""
    monkeypatch.setattr(model_archive, "LARGEST_FILE", 1 << 20)
    monkeypatch.setattr(model_archive, "_copy", None)
    write(archive, member("model_best.params", bytes((1 << 20) + 1)))
    assert archive.stat().st_size < 10_000
    assert "has 1048577 bytes: no model has more than" in refusal(archive)


def test_no_more_is_unpacked_than_a_sound_archive_can_hold(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_archive, "_MOST_BYTES", 1 << 20)
    write(archive, member("zeros", bytes(2 << 20)), member("model_best.params", b"best"))
    assert "unpacks to more than" in refusal(archive)


def test_zeros_behind_the_end_of_the_archive_are_no_less_a_bomb(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_archive, "_MOST_BYTES", 1 << 20)
    write(archive, member("model_best.params", b"best"))
    archive.write_bytes(archive.read_bytes() + gzip.compress(bytes(2 << 20)))
    assert "unpacks to more than" in refusal(archive)


def test_there_are_no_more_members_than_in_a_sound_archive(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_archive, "_MOST_MEMBERS", 10)
    write(archive, *(member(f"{number}") for number in range(11)))
    assert "has more than 10 members" in refusal(archive)


def raw_header(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    """A header whose size need not be a possible one."""
    info = tarfile.TarInfo(name)
    info.type = kind
    block = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    if size >= 0:
        block[124:136] = b"%011o\0" % size
    else:
        block[124:136] = (256**12 + size).to_bytes(12, "big")
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.XGLTYPE])
def test_a_header_that_would_fill_the_memory_is_not_read(archive: Path, kind: bytes) -> None:
    archive.write_bytes(gzip.compress(raw_header("x", 1 << 32, kind) + bytes(1 << 20)))
    assert "has a header of 4294967296 bytes" in refusal(archive)


@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE])
def test_a_size_below_zero_does_not_lead_round_and_round(archive: Path, kind: bytes) -> None:
    tar = raw_header("first", 0) + raw_header("second", -1024, kind) + bytes(10240)
    archive.write_bytes(gzip.compress(tar))
    refusal(archive)


def test_holes_are_not_filled(archive: Path) -> None:
    """GNU's sparse files: a terabyte of nothing, of which the archive holds no byte."""
    header = bytearray(raw_header("model_best.params", 0, tarfile.GNUTYPE_SPARSE))
    header[483:495] = b"%011o\0" % (1 << 32)
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    archive.write_bytes(gzip.compress(bytes(header) + bytes(10240)))
    assert "is a sparse file and no plain file" in refusal(archive)


def test_without_room_nothing_is_begun(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(free=1000))
    write(archive, *(member(name, content) for name, content in CONTENT.items()))
    with pytest.raises(PlatformError, match=r"no room to unpack model_best\.params: it has 3996 "):
        take_out(archive)


def test_without_a_place_for_temporary_files_the_platform_is_at_fault(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/nowhere"])
    with pytest.raises(PlatformError, match="no place for temporary files"):
        take_out(archive)


@contextmanager
def in_new_folder() -> Iterator[Path]:
    """Hypothesis calls a test many times for one fixture."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


PACKED = {name: os.urandom(2000) for name in NAMES}


def taken_out_or_refused(change: Callable[[bytes], bytes]) -> dict[str, bytes] | None:
    """What comes out of a changed archive; None where it is refused, with its name."""
    with in_new_folder() as folder:
        archive = write(
            folder / "model.tar.gz", *(member(name, data) for name, data in PACKED.items())
        )
        archive.write_bytes(change(archive.read_bytes()))
        try:
            return take_out(archive)
        except CustomerError as error:
            return None if str(archive) in str(error) else {}


@given(st.floats(0, 1, exclude_max=True))
def test_an_archive_that_was_cut_short_is_refused(part: float) -> None:
    assert taken_out_or_refused(lambda data: data[: int(len(data) * part)]) is None


@given(st.floats(0, 1, exclude_max=True), st.integers(0, 7))
def test_a_bit_that_was_flipped_changes_no_file(part: float, bit: int) -> None:
    def flip(data: bytes) -> bytes:
        flipped = bytearray(data)
        flipped[int(len(data) * part)] ^= 1 << bit
        return bytes(flipped)

    assert taken_out_or_refused(flip) in (None, PACKED)


@given(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=20))
def test_a_tar_with_something_else_in_it_is_no_crash(part: float, new: bytes) -> None:
    """Inside of gzip, whose checksum then is right."""

    def overwrite(data: bytes) -> bytes:
        tar = bytearray(gzip.decompress(data))
        place = int(len(tar) * part)
        tar[place : place + len(new)] = new
        return gzip.compress(bytes(tar))

    found = taken_out_or_refused(overwrite)
    assert found is None or 0 < len(found) <= len(NAMES)
