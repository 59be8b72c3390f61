from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from semseg.sagemaker.errors import CustomerError
from semseg.sagemaker.resources import CheckpointPlace, Hosts, read_checkpoint_place, read_hosts

WriteConfig = Callable[[str, Any], Path]


def test_without_the_file_there_is_one_host(tmp_path: Path) -> None:
    assert read_hosts(tmp_path / "resourceconfig.json") == Hosts("algo-1", ("algo-1",), "eth0")


def test_what_sagemaker_writes(write_config: WriteConfig) -> None:
    path = write_config(
        "resourceconfig.json",
        {
            "current_host": "algo-2",
            "hosts": ["algo-1", "algo-2"],
            "network_interface_name": "lo",
            "current_instance_type": "ml.p3.2xlarge",
            "current_group_name": "homogeneousCluster",
            "instance_groups": [{"instance_group_name": "homogeneousCluster"}],
        },
    )
    assert read_hosts(path) == Hosts("algo-2", ("algo-1", "algo-2"), "lo")


def test_local_mode_has_names_of_its_own(write_config: WriteConfig) -> None:
    path = write_config(
        "resourceconfig.json", {"current_host": "algo-1-x7k2p", "hosts": ["algo-1-x7k2p"]}
    )
    assert read_hosts(path) == Hosts("algo-1-x7k2p", ("algo-1-x7k2p",), "eth0")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"hosts": []}, "hosts: found [], allowed: a list of hosts' names, not empty"),
        ({"hosts": "a"}, "hosts: found 'a', allowed: a list of hosts' names, not empty"),
        ({"hosts": ["a", 7]}, 'hosts: found ["a", 7], allowed: a list of hosts\' names, not empty'),
        ({"hosts": ["a", "a"]}, 'hosts: found ["a", "a"], allowed: each host once'),
        ({"hosts": ["b"]}, "current_host: found 'a', allowed: one of hosts, [\"b\"]"),
        ({"current_host": 7}, "current_host: found 7, allowed: a host's name"),
        (
            {"network_interface_name": 7},
            "network_interface_name: found 7, allowed: a name such as eth0",
        ),
    ],
)
def test_a_wrong_file_is_named(
    write_config: WriteConfig, change: dict[str, Any], complaint: str
) -> None:
    path = write_config("resourceconfig.json", {"current_host": "a", "hosts": ["a"]} | change)
    with pytest.raises(CustomerError) as raised:
        read_hosts(path)
    summary, *lines = str(raised.value).splitlines()
    assert summary.startswith("resourceconfig.json: ")
    assert complaint in lines


def test_checkpoints_are_wanted_only_where_the_file_says_so(
    tmp_path: Path, write_config: WriteConfig
) -> None:
    absent = tmp_path / "checkpointconfig.json"
    assert read_checkpoint_place(absent, tmp_path) is None
    path = write_config("checkpointconfig.json", {"LocalPath": "/opt/ml/checkpoints"})
    assert read_checkpoint_place(path, tmp_path) == CheckpointPlace(Path("/opt/ml/checkpoints"))
    path = write_config("checkpointconfig.json", {})
    assert read_checkpoint_place(path, tmp_path) == CheckpointPlace(tmp_path)


@pytest.mark.parametrize("wrong", ["checkpoints", 7, ["/a"], " "])
def test_a_wrong_place_for_checkpoints_is_named(
    tmp_path: Path, write_config: WriteConfig, wrong: object
) -> None:
    path = write_config("checkpointconfig.json", {"LocalPath": wrong})
    with pytest.raises(CustomerError, match=r"^checkpointconfig\.json: 1 problem \(LocalPath\)"):
        read_checkpoint_place(path, tmp_path)
