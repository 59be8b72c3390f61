"""SIGTERM and SIGINT, sent to small programs that hear of them."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from semseg.sagemaker.stopping import Stop, StopRequested

SOURCES = Path(__file__).resolve().parents[2] / "src"

# `busy` keeps the main thread inside one call of C, as MXNet does: no Python handler would run. It
# takes minutes, as does the patience with what is to be saved, where a test does not shorten it.
HEAD = """
import hashlib, logging, sys, time
logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")
from semseg.sagemaker.stopping import Stop, StopRequested
stop = Stop.listen(patience=float(sys.argv[1]))
def busy():
    print("busy", flush=True)
    hashlib.pbkdf2_hmac("sha256", b"", b"", 2_000_000_000)
"""

SOON = 120  # seconds: far less than what must not be waited for takes


def run(
    body: str,
    *waits: float,
    sent: signal.Signals = signal.SIGTERM,
    ignored: bool = False,
    patience: float = 600,
) -> tuple[int, str, float]:
    """Runs a program and sends it a signal so many seconds after it has said that it is busy.

    Args:
        body: of the program.
        waits: seconds before each signal.
        sent: which signal.
        ignored: whether SIGINT is ignored when the program starts.
        patience: `Stop.listen`'s.

    Returns:
        Exit code, what it said, and the seconds from the first signal to its end.
    """
    disposition = signal.SIG_IGN if ignored else signal.SIG_DFL
    with subprocess.Popen(
        [sys.executable, "-c", HEAD + body, str(patience)],
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(SOURCES)},
        # The tests themselves may run in the background of a shell, where SIGINT is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, disposition),
    ) as process:
        assert process.stdout is not None
        while "busy" not in (line := process.stdout.readline()):
            assert line, "it ended before it was busy"
        started = time.monotonic()
        for wait in waits:
            time.sleep(wait)
            process.send_signal(sent)
        said = process.stdout.read()
    return process.returncode, said, time.monotonic() - started


def test_at_first_the_process_ends_at_once_whatever_it_does() -> None:
    code, said, seconds = run("busy()", 0)
    assert code == 0
    assert said == "Stop requested (SIGTERM): ending at once, there is nothing to save.\n"
    assert seconds < SOON


def test_work_that_holds_it_off_ends_by_itself() -> None:
    body = """
with stop.held_off():
    print("busy", flush=True)
    try:
        for _ in stop.between(range(10_000)):
            time.sleep(0.01)
    except StopRequested:
        print("saved", flush=True)
print("went on")
"""
    code, said, _ = run(body, 0.1)
    assert code == 0
    assert said.splitlines()[1:] == ["saved"]


def test_what_is_to_be_done_is_said_before_it_can_be_done() -> None:
    body = """
import os
with stop.held_off():
    print("busy", flush=True)
    while not stop.requested:
        pass
    os._exit(0)
"""
    _, said, _ = run(body, 0)
    assert said.startswith("Stop requested (SIGTERM): the step under way is finished")


def test_a_second_signal_changes_nothing() -> None:
    body = """
with stop.held_off():
    print("busy", flush=True)
    while not stop.requested:
        time.sleep(0.01)
    time.sleep(0.5)
    print("saved", flush=True)
"""
    code, said, _ = run(body, 0.1, 0.1, 0.1)
    assert code == 0
    assert said.splitlines()[1:] == ["saved"]


def test_work_that_takes_too_long_is_given_up() -> None:
    code, said, seconds = run("with stop.held_off(): busy()", 0, patience=1.5)
    assert code == 0
    assert "took more than 1 seconds: ending with what was saved" in said
    assert seconds < SOON


def test_after_the_work_it_ends_at_once_again() -> None:
    code, said, _ = run("with stop.held_off(): pass\nbusy()", 0)
    assert code == 0
    assert "there is nothing to save" in said


def test_without_a_signal_nothing_happens() -> None:
    code, said, _ = run("with stop.held_off(): print('busy', flush=True)\nprint('end')")
    assert (code, said) == (0, "end\n")


def test_work_that_fails_fails_although_it_was_asked_to_stop() -> None:
    body = """
with stop.held_off():
    print("busy", flush=True)
    while not stop.requested:
        time.sleep(0.01)
    sys.exit(7)
"""
    assert run(body, 0.1)[0] == 7


def test_ctrl_c_before_there_is_anything_to_save_ends_it_at_once() -> None:
    code, said, _ = run("busy()", 0, sent=signal.SIGINT)
    assert code == 130
    assert said == "Stop requested (SIGINT): ending at once, there is nothing to save.\n"


def test_after_ctrl_c_work_saves_and_has_as_long_as_it_takes() -> None:
    body = """
with stop.held_off():
    print("busy", flush=True)
    while not stop.requested:
        time.sleep(0.01)
    time.sleep(2)  # more than SIGTERM would leave
    print("saved", flush=True)
print("went on")
"""
    code, said, _ = run(body, 0.1, sent=signal.SIGINT, patience=1)
    assert code == 130
    assert said.splitlines()[2:] == ["saved"]


def test_a_second_ctrl_c_does_not_wait() -> None:
    code, said, _ = run("with stop.held_off(): busy(); print('over')", 0.1, 0.5, sent=signal.SIGINT)
    assert code == 130
    assert said.splitlines() == [
        "Stop requested (SIGINT): the step under way is finished, then all is saved.",
        "Interrupt it once more to end at once, with what was saved before.",
    ]


def test_in_the_background_of_a_shell_ctrl_c_is_not_for_it() -> None:
    body = "print('busy', flush=True); time.sleep(0.5); print('end')"
    assert run(body, 0.1, sent=signal.SIGINT, ignored=True)[:2] == (0, "end\n")


def test_what_follows_another_host_ends_by_itself_and_may_not_take_longer() -> None:
    saves = """
with stop.held_off():
    stop.follow()
    print("busy", flush=True)
print("went on")
"""
    assert run(saves)[:2] == (0, "")
    code, said, _ = run("with stop.held_off(): stop.follow(); busy()", patience=1.5)
    assert code == 0
    assert "took more than 1 seconds: ending with what was saved" in said


def test_what_has_not_been_asked_to_stop_goes_on() -> None:
    stop = Stop()
    stop.check()
    assert list(stop.between("abc")) == ["a", "b", "c"]
    with stop.held_off():
        assert not stop.requested


def test_what_has_been_asked_to_stop_does_not() -> None:
    stop = Stop()
    stop._requested.set()
    with pytest.raises(StopRequested):
        next(stop.between("abc"))
    with pytest.raises(SystemExit) as ended, stop.held_off():
        assert stop.requested
    assert ended.value.code == 0
