import socket

import pytest

from semseg.sagemaker.errors import PlatformError
from semseg.training.hosts import ports
from semseg.training.hosts.addresses import addresses, own_address
from tests.training.hosts.loopback import some_hosts


def test_an_address_of_the_interfaces_network_is_taken_as_it_is() -> None:
    assert own_address("127.4.5.6", "lo") == "127.4.5.6"


def test_a_name_stands_for_the_address_in_the_interfaces_network(monkeypatch) -> None:
    """Debian's /etc/hosts gives a machine's own name 127.0.1.1, which others cannot reach."""

    def resolve(host: str, *_: object) -> list[tuple[object, ...]]:
        return [(2, 1, 6, "", (address, 0)) for address in ("10.0.0.7", "127.9.9.9")]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert own_address("algo-1", "lo") == "127.9.9.9"


def test_a_name_that_stands_for_nothing_here_gets_the_interfaces_address() -> None:
    assert own_address("no-such-host.invalid", "lo") == "127.0.0.1"
    assert addresses("no-such-host.invalid") == []


def test_an_interface_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(PlatformError, match=r"network_interface_name is 'ethwe'.*interfaces:.* lo"):
        own_address("127.0.0.1", "ethwe")


def test_a_port_is_taken_on_one_address_only() -> None:
    one, other = some_hosts(2)
    with ports.listen(one, ports.TEAM):
        with ports.listen(other, ports.TEAM):
            pass
        with pytest.raises(PlatformError, match=f"Port {ports.TEAM} of {one}.*already in use"):
            ports.check_free(one, (ports.SERVER, ports.TEAM))
    ports.check_free(one, (ports.SERVER, ports.TEAM))


def test_no_port_is_among_those_that_linux_gives_to_outgoing_connections() -> None:
    with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
        first = int(file.read().split()[0])
    assert max(ports.TEAM, ports.SCHEDULER, ports.SERVER, ports.WORKER) < first
