"""What the image is made of, and what it says of itself."""

import tomllib

import pytest

from tests.container.container import inspect, run

# MB as `docker image inspect` counts them, without backbones.
MOST_MB = {"cpu": 650, "cu112": 3300}

# What builds an image and does not belong into it.
_LEFTOVERS = """
command -v pip pip3 gcc cc g++ make uv
for file in /etc/pip.conf /root/.cache /root/.config /build /var/lib/apt/lists/* /run/secrets/*; do
    [ ! -e "$file" ] || echo "$file"
done
find / -xdev -type d \\( -name tests -o -name test \\)
find / -xdev -type d -name '*.egg-info'
"""


@pytest.fixture
def facts(image: str) -> dict:
    return inspect(image)


@pytest.fixture
def configuration(facts: dict) -> dict:
    return facts["Config"]


@pytest.fixture
def flavor(configuration: dict) -> str:
    return configuration["Labels"]["io.github.semseg.flavor"]


def test_its_size(image: str, facts: dict, flavor: str, measured: list[str]) -> None:
    weights = run(image, "du", "-sb", "/opt/semseg/backbones").stdout.split()[0]
    megabytes = (facts["Size"] - int(weights)) / 1e6
    measured.append(f"{image}: {facts['Size'] / 1e6:.0f} MB, {int(weights) / 1e6:.0f} of backbones")

    assert megabytes <= MOST_MB[flavor]


def test_nothing_of_the_build_is_left(image: str) -> None:
    assert run(image, "sh", "-c", _LEFTOVERS).stdout == ""


def test_its_environment_is_its_own(configuration: dict) -> None:
    names = {variable.partition("=")[0] for variable in configuration["Env"]}

    assert names == {
        "PATH", "LANG", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED",
        "NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES",
    }  # fmt: skip


def test_labels(project, configuration: dict) -> None:
    labels = configuration["Labels"]

    assert labels["com.amazonaws.sagemaker.capabilities.accept-bind-to-port"] == "true"
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"
    pyproject = tomllib.loads((project / "pyproject.toml").read_text())
    assert labels["org.opencontainers.image.title"] == pyproject["project"]["name"]
    assert {"version", "revision", "description"} <= {
        name.removeprefix("org.opencontainers.image.") for name in labels
    }


def test_its_version_is_the_programs(image: str, configuration: dict) -> None:
    said = run(image, "semseg", "--version").stdout

    assert said == f"semseg {configuration['Labels']['org.opencontainers.image.version']}\n"


def test_conventions(configuration: dict) -> None:
    assert configuration["ExposedPorts"] == {"8080/tcp": {}}
    assert configuration["Entrypoint"] == ["entrypoint"]  # exec form: no shell before it
    assert configuration["Healthcheck"]["Test"][0] == "CMD"
    assert not configuration.get("User")  # SageMaker's folders are root's
    assert not configuration.get("Volumes")


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        ((), 2, "Say what to do: train or serve."),
        (("trian",), 2, "There is no program 'trian' in this image: say train or serve."),
        (("--help",), 0, "docker run"),
        (("semseg", "--help"), 0, "usage: semseg"),
    ],
)
def test_neither_train_nor_serve(cpu_image: str, command, code: int, words: str) -> None:
    ended = run(cpu_image, *command)

    assert ended.returncode == code
    assert words in ended.stdout + ended.stderr


def test_dependencies_are_those_of_the_lock(project, image: str, flavor: str) -> None:
    listed = run(
        image, "python", "-c",
        "from importlib.metadata import distributions as d\n"
        "for one in d(): print(one.metadata['Name'].lower().replace('_', '-'), one.version)",
    ).stdout.splitlines()  # fmt: skip
    lock = project / "docker" / f"requirements-{flavor}.txt"
    pins = [line for line in lock.read_text().splitlines() if "==" in line]
    pinned = {" ".join(pin.split(" ")[0].split("==")) for pin in pins}

    assert {line for line in listed if not line.startswith("sagemaker-")} == pinned
