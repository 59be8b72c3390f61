"""What the project says about itself is so: locks, README, Makefile."""

import json
import re
import tomllib
from pathlib import Path

import pytest

LOCKS = (
    "docker/requirements-cpu.txt",
    "docker/requirements-cu112.txt",
    "docker/requirements-test.txt",
    "tests/clients/requirements.txt",
    "scripts/benchmarks/requirements.txt",
)


@pytest.fixture(scope="session")
def readme(project: Path) -> str:
    return (project / "README.md").read_text()


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_of_a_lock_has_a_hash(project: Path, lock: str) -> None:
    text = (project / lock).read_text().replace("\\\n", " ")
    pins = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    assert pins
    for pin in pins:
        assert re.match(r"[a-z0-9][a-z0-9._-]*==\S+( ;.*?)?( +--hash=sha256:[0-9a-f]{64})+ *$", pin)


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_is_made_by_make_lock(project: Path, lock: str) -> None:
    assert (project / lock).read_text().splitlines()[1].strip("# ") == "make lock"
    script = (project / "scripts/make-lock").read_text()
    assert f"compile {lock} " in re.sub(r"for flavour in cpu cu112; do\n +(.+)", _unrolled, script)


def _unrolled(loop: re.Match[str]) -> str:
    return "\n".join(loop[1].replace("$flavour", flavour) for flavour in ("cpu", "cu112"))


def test_the_clients_lock_pins_what_they_ask_for(project: Path) -> None:
    wanted = (project / "tests/clients/requirements.in").read_text()
    pins = (project / "tests/clients/requirements.txt").read_text()
    names = re.findall(r"(?m)^([a-z0-9-]+)", wanted)
    assert {"boto3", "sagemaker"} <= set(names)
    assert all(re.search(rf"(?m)^{name}==", pins) for name in names)


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_host_and_no_path(project: Path, lock: str) -> None:
    text = (project / lock).read_text()
    assert "://" not in text
    assert not re.search(r"(?m)^--|(?<!\w)/\w", text)


def test_the_flavours_agree_on_what_both_have(project: Path) -> None:
    def pins(lock: str) -> dict[str, str]:
        text = (project / lock).read_text()
        return dict(re.findall(r"(?m)^([a-z0-9._-]+)==(\S+)", text))

    cpu, cuda, test = (pins(lock) for lock in LOCKS[:3])
    for other in (cuda, test):
        assert {name: other[name] for name in cpu.keys() & other.keys()} == {
            name: cpu[name] for name in cpu.keys() & other.keys()
        }
    assert cpu.keys() <= test.keys()


def test_the_hyperparameter_table_is_the_codes(readme: str) -> None:
    from semseg.sagemaker.hyperparameter_table import hyperparameter_table

    assert hyperparameter_table() in readme


def test_commands_in_the_readme_exist(project: Path, readme: str) -> None:
    makefile = (project / "Makefile").read_text()
    targets = set(re.findall(r"(?m)^([a-z]+):", makefile))
    assert set(re.findall(r"(?m)(?:^|`)make ([a-z]+)", readme)) <= targets
    scripts = tomllib.loads((project / "pyproject.toml").read_text())["project"]["scripts"]
    commands = set(re.findall(r"\.venv/bin/([a-z-]+)", readme))
    assert commands <= scripts.keys() | {"python", "pre-commit"}
    for module in re.findall(r"python -m ([\w.]+)", readme):
        place = project / module.replace(".", "/")
        assert place.with_suffix(".py").is_file() or (place / "__main__.py").is_file()
    for path in re.findall(r"configs/[\w./-]+\.json", readme):
        assert (project / path).is_file()


def test_the_readme_names_the_right_that_each_request_to_aws_takes(
    project: Path, readme: str
) -> None:
    sources = [file.read_text() for file in (project / "scripts/aws").glob("*.py")]
    operations = {name for text in sources for name in re.findall(r'Request\(\s*"(\w+)"', text)}
    assert {"CreateTrainingJob", "InvokeEndpoint"} <= operations
    assert {name for name in operations if not re.search(rf"[`:]{name}`", readme)} == set()


def test_ci_runs_the_readmes_commands(project: Path, readme: str) -> None:
    targets = re.findall(r"(?m)^run ([a-z-]+)", (project / ".ci/run").read_text())
    assert {"lint", "test", "demo", "image", "test-image"} <= set(targets)
    assert all(f"make {target}" in readme for target in targets)


def test_job_configurations_are_strings_as_sagemaker_sends_them(project: Path) -> None:
    from semseg.sagemaker.hyperparameters import read_hyperparameters

    files = [*(project / "configs").glob("benchmarks/*.json")]
    files.append(project / "configs/demo/hyperparameters.json")
    for file in files:
        values = json.loads(file.read_text())
        assert all(isinstance(value, str) for value in values.values()), file
        read_hyperparameters(file)
