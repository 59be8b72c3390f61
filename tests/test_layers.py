"""Which room may import which: the contracts in pyproject.toml."""

import subprocess
import sys
from pathlib import Path


def test_the_contracts_hold(project: Path) -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    outcome = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
