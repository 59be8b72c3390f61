import os
import threading
import time
from pathlib import Path

import pytest

from semseg.data.pipes import PipeClosed, PipeTimeout, open_fifo
from tests.data.pipe import Pipe


def never() -> bool:
    return False


def read(path: Path, seconds: float = 20) -> bytes:
    with open_fifo(path, seconds, never) as stream:
        return stream.read()


def test_epoch_by_epoch(tmp_path: Path) -> None:
    pipe = Pipe(tmp_path / "train", [b"first" * 40_000, b"second"])
    assert read(pipe.fifo(0)) == b"first" * 40_000
    assert read(pipe.fifo(1)) == b"second"
    assert pipe.is_done()


def test_a_fifo_and_its_bytes_may_be_late(tmp_path: Path) -> None:
    def late():
        for part in (b"a", b"b"):
            time.sleep(0.3)
            yield part

    pipe = Pipe(tmp_path / "train", [late()], delay=0.3)
    assert read(pipe.fifo(0)) == b"ab"


def test_a_writer_that_writes_nothing_ends_the_stream(tmp_path: Path) -> None:
    pipe = Pipe(tmp_path / "train", [b""], delay=0.2)
    assert read(pipe.fifo(0)) == b""


def test_a_file_will_do(tmp_path: Path) -> None:
    (tmp_path / "train_0").write_bytes(b"content")
    assert read(tmp_path / "train_0") == b"content"


def test_a_fifo_that_never_appears(tmp_path: Path) -> None:
    with pytest.raises(PipeTimeout, match=r"/train_0 has not appeared for 0\.3 seconds$"):
        read(tmp_path / "train_0", seconds=0.3)


def test_a_fifo_that_nobody_opens(tmp_path: Path) -> None:
    path = tmp_path / "train_0"
    os.mkfifo(path)
    with pytest.raises(PipeTimeout, match=r"nothing has come through .*train_0 for 0\.3 seconds$"):
        read(path, seconds=0.3)


def test_a_writer_that_falls_silent(tmp_path: Path) -> None:
    path = tmp_path / "train_0"
    os.mkfifo(path)
    writer = os.open(path, os.O_RDWR)
    os.write(writer, b"abc")
    with pytest.raises(PipeTimeout, match=r"for 0\.3 seconds after the first 3 bytes$"):
        read(path, seconds=0.3)
    os.close(writer)


def test_silence_counts_from_the_last_byte(tmp_path: Path) -> None:
    def slowly():
        for _ in range(6):
            time.sleep(0.2)
            yield b"x"

    pipe = Pipe(tmp_path / "train", [slowly()])
    assert read(pipe.fifo(0), seconds=1) == b"x" * 6


def test_whoever_still_writes_is_not_kept_waiting(tmp_path: Path) -> None:
    pipe = Pipe(tmp_path / "train", [b"x" * 1_000_000])
    with open_fifo(pipe.fifo(0), 20, never) as stream:
        assert stream.read(3) == b"xxx"
    assert pipe.is_done()
    assert pipe.closed_early == 1


@pytest.mark.parametrize("exists", [False, True])
def test_waiting_can_be_ended(tmp_path: Path, exists: bool) -> None:
    path = tmp_path / "train_0"
    if exists:
        os.mkfifo(path)
    over = threading.Event()
    threading.Timer(0.2, over.set).start()
    with pytest.raises(PipeClosed), open_fifo(path, 20, over.is_set) as stream:
        stream.read()


def test_a_pipe_ends_with_the_folder_it_is_in(tmp_path: Path) -> None:
    """Else its thread fails in the middle of whatever test comes next."""
    folder = tmp_path / "channels"
    pipe = Pipe(folder / "train", [b"never read"], delay=0.1)
    folder.rmdir()
    assert pipe.is_done()
