"""RecordIO as the SageMaker SDK reads and writes it, which knows no split records."""

import io
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semseg.sagemaker.recordio import frame, read_records

MAGIC = b"\x0a\x23\xd7\xce"
PAYLOADS = st.lists(
    st.one_of(
        st.binary(max_size=40),
        st.lists(st.sampled_from([MAGIC, b"abcd", b"x"]), max_size=5).map(b"".join),
    ),
    max_size=5,
)
Ask = Callable[[dict[str, Any]], Any]


@pytest.fixture(scope="module")
def sdk(project: Path) -> Iterator[Ask]:
    """Asks the SDK, which has to live in an environment of its own."""
    python = project / ".venv-clients" / "bin" / "python"
    if not python.exists():
        pytest.skip("needs .venv-clients, which `make test` makes")
    clients = project / "tests" / "clients"
    # Without a configuration of its own the SDK calls home when it is imported.
    configuration = str(clients / "sagemaker-config.yaml")
    process = subprocess.Popen(
        [python, "-W", "ignore", clients / "recordio_of_sdk.py"],
        env={**os.environ, "SAGEMAKER_USER_CONFIG_OVERRIDE": configuration, "PYTHONPATH": ""},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    questions, answers = process.stdin, process.stdout
    assert questions is not None
    assert answers is not None

    def ask(question: dict[str, Any]) -> Any:
        questions.write(json.dumps(question) + "\n")
        questions.flush()
        return json.loads(answers.readline())

    with process:
        yield ask
        questions.close()
    assert process.returncode == 0


@given(payloads=PAYLOADS)
def test_the_sdk_reads_what_is_written_here(sdk: Ask, payloads: list[bytes]) -> None:
    found = sdk({"read": b"".join(map(frame, payloads)).hex()})
    assert [bytes.fromhex(payload) for payload in found] == payloads


@given(payloads=PAYLOADS)
def test_what_the_sdk_writes_is_read_and_written_here(sdk: Ask, payloads: list[bytes]) -> None:
    stream = bytes.fromhex(sdk({"write": [payload.hex() for payload in payloads]}))
    assert [record.payload for record in read_records(io.BytesIO(stream))] == payloads
    assert b"".join(map(frame, payloads)) == stream
