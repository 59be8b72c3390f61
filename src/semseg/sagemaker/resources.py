"""The hosts of the job and the place for its checkpoints."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semseg.sagemaker.errors import CustomerError
from semseg.sagemaker.json_files import read_json_object
from semseg.sagemaker.problems import Problem, show, summarize

DEFAULT_HOST = "algo-1"
DEFAULT_NETWORK_INTERFACE = "eth0"


@dataclass(frozen=True)
class Hosts:
    """Who takes part: names or addresses. SageMaker's local mode names hosts ``algo-1-xxxxx``."""

    current: str
    all: tuple[str, ...]
    network_interface: str

    @property
    def count(self) -> int:
        """How many take part."""
        return len(self.all)

    @property
    def index(self) -> int:
        """This host's place among all; that of the first host, which decides and writes, is 0."""
        return self.all.index(self.current)


@dataclass(frozen=True)
class CheckpointPlace:
    """A folder that SageMaker keeps in step with S3, and fills before a job that resumes."""

    path: Path


def read_hosts(path: Path) -> Hosts:
    """The hosts that ``resourceconfig.json`` at `path` lists; without the file, one host.

    Raises CustomerError naming the file and what is wrong with it.
    """
    if not path.exists():
        return Hosts(DEFAULT_HOST, (DEFAULT_HOST,), DEFAULT_NETWORK_INTERFACE)
    configuration = read_json_object(path)
    current = configuration.get("current_host", DEFAULT_HOST)
    hosts = configuration.get("hosts", [current])
    interface = configuration.get("network_interface_name") or DEFAULT_NETWORK_INTERFACE
    problems = []
    if not _is_name(interface):
        problems.append(_wrong("network_interface_name", interface, "a name such as eth0"))
    if not _is_name(current):
        problems.append(_wrong("current_host", current, "a host's name"))
    if not isinstance(hosts, list) or not hosts or not all(map(_is_name, hosts)):
        problems.append(_wrong("hosts", hosts, "a list of hosts' names, not empty"))
    elif len(set(hosts)) < len(hosts):
        problems.append(_wrong("hosts", hosts, "each host once"))
    elif current not in hosts:
        problems.append(_wrong("current_host", current, f"one of hosts, {show(hosts)}"))
    if problems:
        raise CustomerError(summarize(path.name, problems))
    return Hosts(current, tuple(hosts), interface)


def read_checkpoint_place(path: Path, default: Path) -> CheckpointPlace | None:
    """Where ``checkpointconfig.json`` at `path` wants checkpoints; None where there is no file.

    `default` is the folder where the file names none. Raises CustomerError naming the file.
    """
    if not path.exists():
        return None
    local_path = read_json_object(path).get("LocalPath") or str(default.absolute())
    if not _is_name(local_path) or not Path(local_path).is_absolute():
        problem = _wrong("LocalPath", local_path, "the absolute path of a folder")
        raise CustomerError(summarize(path.name, [problem]))
    return CheckpointPlace(Path(local_path))


def _wrong(name: str, found: object, allowed: str) -> Problem:
    return Problem(name, f"found {show(found)}, allowed: {allowed}")


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())
