"""Images are loaded by threads of `train` itself: nothing is forked, no memory is shared."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.contract.training_job import TrainingJob

pytestmark = pytest.mark.slow

# Tells of every start of a process and whether MXNet was there already; the first is a trial.
WATCH = """
import json, subprocess, sys
STARTS = {"os.fork", "os.forkpty", "os.posix_spawn", "subprocess.Popen"}
def note(event, _):
    if event in STARTS:
        start = [event, hasattr(sys.modules.get("mxnet"), "gluon")]
        print("start of a process:", json.dumps(start), file=sys.stderr, flush=True)
sys.addaudithook(note)
subprocess.run(["true"])
"""
# Not even an empty file can be put into /dev/shm, where processes would share memory.
NO_SHARED_MEMORY = (
    *("unshare", "--mount", "sh", "-c"),
    'mount -t tmpfs -o ro none /dev/shm && exec "$@"',
    "sh",
)


def test_no_process_is_forked_and_no_memory_shared(tmp_path: Path) -> None:
    tried = subprocess.run([*NO_SHARED_MEMORY, "true"], capture_output=True, text=True)
    if tried.returncode:
        pytest.skip(f"needs to mount a file system, and may not: {tried.stderr.strip()}")
    job = TrainingJob(tmp_path / "ml", epochs="2", _workers="2")

    with job.start(before=WATCH, command=NO_SHARED_MEMORY) as train:
        log, errors = train.communicate()

    assert train.returncode == 0, log + errors
    told = (line.partition("start of a process: ") for line in errors.splitlines())
    starts = [json.loads(start) for _, found, start in told if found]
    assert ["subprocess.Popen", False] in starts
    assert [event for event, after_mxnet in starts if after_mxnet] == []
    job.remove()
