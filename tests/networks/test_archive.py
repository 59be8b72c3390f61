import tarfile
from pathlib import Path

import pytest

from semseg.networks.archive import add_file, artifact_folder
from semseg.networks.artifact import BEST, CONFIGURATION, LAST
from semseg.sagemaker.errors import CustomerError

FILES = {BEST: b"best", LAST: b"last", CONFIGURATION: b"{}", "notes/read.me": b"mine"}


@pytest.fixture(params=["", "./", "model/"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A model.tar.gz as SageMaker packs it, and as people do."""
    source = tmp_path / "source"
    for name, content in FILES.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(content)
    path = tmp_path / "model.tar.gz"
    with tarfile.open(path, "w:gz") as new:
        for name in FILES:
            new.add(source / name, f"{request.param}{name}")
    return path


def contents(archive: Path) -> dict[str, bytes]:
    with tarfile.open(archive) as members:
        return {
            member.name.removeprefix("./").removeprefix("model/"): file.read()
            for member in members
            if (file := members.extractfile(member)) is not None
        }


def test_the_artifact_is_found_in_an_archive(archive: Path) -> None:
    with artifact_folder(archive) as folder:
        found = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert found == {name: FILES[name] for name in (BEST, LAST, CONFIGURATION)}
    assert not folder.exists()


def test_what_is_wrong_with_a_file_is_told_of_the_archive(archive: Path) -> None:
    with (
        pytest.raises(CustomerError, match=rf"^{archive}/{BEST} is broken$"),
        artifact_folder(archive) as folder,
    ):
        raise CustomerError(f"{folder / BEST} is broken")


def test_a_folder_is_itself(tmp_path: Path) -> None:
    with artifact_folder(tmp_path) as folder:
        assert folder == tmp_path
    assert tmp_path.exists()


def test_a_file_lands_beside_the_parameters_and_all_else_stays(archive: Path) -> None:
    with tarfile.open(archive) as before:
        parameters = next(one for one in before.getnames() if one.endswith(BEST))
    add_file(archive, "extra.json", b"first")
    assert contents(archive) == {**FILES, "extra.json": b"first"}
    with tarfile.open(archive) as after:
        (added,) = (one for one in after.getnames() if one.endswith("extra.json"))
    assert Path(added).parent == Path(parameters).parent
    add_file(archive, "extra.json", b"second")
    assert contents(archive) == {**FILES, "extra.json": b"second"}
    assert [path.name for path in archive.parent.iterdir() if path.is_file()] == [archive.name]


def test_a_file_is_added_to_a_folder(tmp_path: Path) -> None:
    add_file(tmp_path, "extra.json", b"content")
    assert (tmp_path / "extra.json").read_bytes() == b"content"


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with (
        pytest.raises(CustomerError, match=r"neither a folder nor a file .*gone\.tar\.gz"),
        artifact_folder(tmp_path / "gone.tar.gz"),
    ):
        pass
