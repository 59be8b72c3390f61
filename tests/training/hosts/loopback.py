"""Several hosts on one machine: each an address of its own on the loopback interface."""

import random


def some_hosts(count: int) -> list[str]:
    """Addresses that hardly anybody else uses at the moment, all ports being fixed."""
    network = f"127.{random.randrange(1, 255)}.{random.randrange(1, 255)}"
    return [f"{network}.{number}" for number in range(1, count + 1)]


def resourceconfig(host: str, hosts: list[str]) -> dict[str, object]:
    """What SageMaker would tell a host."""
    return {"current_host": host, "hosts": hosts, "network_interface_name": "lo"}
