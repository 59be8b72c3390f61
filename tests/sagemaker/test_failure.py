import errno
import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from semseg.sagemaker import failure
from semseg.sagemaker.errors import AlgorithmError, CustomerError, PlatformError
from semseg.sagemaker.tree import Tree


def raising(error: BaseException) -> Callable[[], None]:
    def program() -> None:
        raise error

    return program


def test_success_is_0_and_leaves_no_failure_file(tree: Tree) -> None:
    assert failure.run(lambda: None, tree) == 0
    assert not tree.failure.exists()


@pytest.mark.parametrize(
    ("error", "line", "exit_code"),
    [
        (CustomerError("mend this"), "Customer Error: mend this", 2),
        (AlgorithmError("our fault"), "Algorithm Error: our fault", 1),
        (PlatformError("disk gone"), "Platform Error: disk gone", 3),
        (KeyError("x"), "Algorithm Error: 'x' (caused by KeyError)", 1),
        (ValueError(), "Algorithm Error: (caused by ValueError)", 1),
        (
            RuntimeError("Traceback (most recent call last):\n  File a.cc\nError: bad shape\n"),
            "Algorithm Error: Error: bad shape (caused by RuntimeError)",
            1,
        ),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            "Platform Error: The disk is full: [Errno 28] No space left on device"
            " (caused by OSError)",
            3,
        ),
        (
            RuntimeError(
                "Traceback (most recent call last):\n  File a.h\n"
                "MXNetError: Failed to allocate CPU Memory\n"
            ),
            "Platform Error: The machine ran out of memory; a smaller mini_batch_size or crop_size,"
            " or a larger instance, needs less: MXNetError: Failed to allocate CPU Memory"
            " (caused by RuntimeError)",
            3,
        ),
        (
            RuntimeError("CUDA: Check failed: e == cudaSuccess: out of memory"),
            "Platform Error: The machine ran out of memory; a smaller mini_batch_size or crop_size,"
            " or a larger instance, needs less: CUDA: Check failed: e == cudaSuccess: out of memory"
            " (caused by RuntimeError)",
            3,
        ),
        (
            RuntimeError("Check failed: std: :fwrite(..) == size: FileStream.Write incomplete"),
            "Platform Error: The disk is full, or it failed: Check failed: std: :fwrite(..) =="
            " size: FileStream.Write incomplete (caused by RuntimeError)",
            3,
        ),
        (
            RuntimeError("can't start new thread"),
            "Platform Error: Another thread may not be started: can't start new thread"
            " (caused by RuntimeError)",
            3,
        ),
        (
            OSError(errno.ENOENT, "no"),
            "Algorithm Error: [Errno 2] no (caused by FileNotFoundError)",
            1,
        ),
        (
            MemoryError(),
            "Platform Error: The machine ran out of memory; a smaller mini_batch_size or"
            " crop_size, or a larger instance, needs less (caused by MemoryError)",
            3,
        ),
    ],
)
def test_each_error_has_its_line_file_and_code(
    tree: Tree, caplog: pytest.LogCaptureFixture, error: Exception, line: str, exit_code: int
) -> None:
    assert failure.run(raising(error), tree) == exit_code
    (record,) = caplog.records
    assert (record.levelno, record.getMessage()) == (logging.ERROR, line)
    assert tree.failure.read_text() == line.partition(": ")[2]


def test_a_defect_leaves_its_traceback_in_the_log_only(
    tree: Tree, caplog: pytest.LogCaptureFixture
) -> None:
    failure.run(raising(KeyError("x")), tree)
    assert "in program" in caplog.text
    assert "in program" not in tree.failure.read_text()


def test_a_customer_sees_no_traceback(tree: Tree, caplog: pytest.LogCaptureFixture) -> None:
    failure.run(raising(CustomerError("mend this")), tree)
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("text", ["one long line " * 200, "ü" * 3000, "line\n" * 1000])
def test_a_long_message_is_whole_in_the_log_and_cut_in_the_file(
    tree: Tree, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    failure.run(raising(CustomerError(text)), tree)
    written = tree.failure.read_bytes()
    assert len(written) <= 1024
    assert written.decode().startswith(text[:400])
    assert written.decode().endswith("(cut: the whole message is in the log)")
    assert text in caplog.records[0].getMessage()


def test_a_message_of_exactly_the_limit_is_not_cut(tree: Tree) -> None:
    failure.run(raising(CustomerError("x" * 1024)), tree)
    assert tree.failure.read_text() == "x" * 1024


def test_file_names_that_are_not_utf_8_do_no_harm(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    # pytest-xdist could not send what pytest records of it; test_logs.py has the log.
    monkeypatch.setattr(failure.logger, "disabled", True)
    failure.run(raising(CustomerError("bad \udcff name")), tree)
    assert tree.failure.read_text() == "bad \\udcff name"


def test_a_failure_file_that_cannot_be_written_is_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "output").write_text("a file where the folder should be")
    assert failure.run(raising(CustomerError("mend this")), Tree(tmp_path)) == 2
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
    assert "failure could not be written" in caplog.text


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(7)])
def test_interrupts_and_exits_pass_through(tree: Tree, error: BaseException) -> None:
    with pytest.raises(type(error)):
        failure.run(raising(error), tree)
    assert not tree.failure.exists()


def test_what_an_earlier_job_left_is_gone_after_a_success(tree: Tree) -> None:
    tree.failure.parent.mkdir(parents=True, exist_ok=True)
    tree.failure.write_text("the earlier job's")
    assert failure.run(lambda: None, tree) == 0
    assert not tree.failure.exists()
