"""`make venv`: when an environment is made anew, seen by a Python that only writes it down."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

PYTHON = """#!/bin/sh
case "$1 $2" in
    "-c "*_base_executable*) echo "$BASE" ;;
    "-m venv")
        echo "$*" >>"$WRITTEN"
        rm -rf "$4"
        mkdir -p "$4/bin"
        cp "$BASE" "$4/bin/python"
        ;;
    "-m pip") case "$*" in *install*) echo "$*" >>"$WRITTEN" ;; esac ;;
esac
"""
MADE = "-m venv --clear .venv"
FILLED = "-m pip --quiet --quiet install --no-deps --require-hashes --only-binary :all: -r lock.txt"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with a lock."""
    place = tmp_path / "project"
    place.mkdir()
    (place / "lock.txt").write_text("flask==3.1\n")
    return place


@pytest.fixture
def make(project: Path, tmp_path: Path) -> Callable[..., list[str]]:
    """Makes the environment of a project's folder; what Python was asked for."""
    python = tmp_path / "bin/python3.11"
    python.parent.mkdir()
    python.write_text(PYTHON)
    python.chmod(0o755)
    written = tmp_path / "written"

    def call(place: Path, **environment: str) -> list[str]:
        written.write_text("")
        known = {"PATH": f"{python.parent}:{os.environ['PATH']}"} | environment
        subprocess.run(
            [project / "scripts/make-venv", ".venv", "lock.txt"],
            cwd=place,
            env=known | {"BASE": str(python), "WRITTEN": str(written)},
            check=True,
            capture_output=True,
        )
        return written.read_text().splitlines()

    return call


def test_an_environment_is_made_once_for_a_lock(make, folder: Path) -> None:
    assert make(folder) == [MADE, FILLED]
    assert make(folder) == [FILLED]


def test_another_lock_gets_an_environment_of_its_own(make, folder: Path) -> None:
    make(folder)
    left_over = folder / ".venv/flask"
    left_over.write_text("What the next lock no longer has.")
    (folder / "lock.txt").write_text("numpy==1.23.5\n")

    assert make(folder) == [MADE, FILLED]
    assert not left_over.exists()
    assert make(folder) == [FILLED]


def test_one_that_was_moved_or_not_completed_is_made_anew(make, folder: Path) -> None:
    make(folder)
    moved = folder.rename(folder.with_name("moved"))
    assert make(moved) == [MADE, FILLED]

    (moved / ".venv/ready").unlink()
    assert make(moved) == [MADE, FILLED]


def test_a_python_that_is_on_no_path_is_found_by_the_environment_it_made(
    make, folder: Path, tmp_path: Path
) -> None:
    python = tmp_path / "bin/python3.11"
    path = tmp_path / "tools"
    path.mkdir()
    for name in ("sh", "cat", "cksum", "cp", "mkdir", "rm"):
        found = shutil.which(name)
        assert found is not None
        (path / name).symlink_to(found)
    make(folder, PATH=str(path), PYTHON=str(python))
    (folder / "lock.txt").write_text("numpy==1.23.5\n")

    assert make(folder, PATH=str(path)) == [MADE, FILLED]
