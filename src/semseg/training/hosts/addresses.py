"""From the hosts' names in ``resourceconfig.json`` to the addresses they are reached at.

ps-lite wants numbers, and IPv4: it cannot bind a name, and it knows no IPv6.
"""

import fcntl
import ipaddress
import socket
import struct

from semseg.sagemaker.errors import PlatformError

# Of linux/sockios.h: the address of an interface, and its network mask.
_SIOCGIFADDR, _SIOCGIFNETMASK = 0x8915, 0x891B
_NAME_BYTES = 15


def own_address(host: str, interface: str) -> str:
    """The address of this host that the others reach it at.

    That is the one its name stands for, if it belongs to the network of `interface`; a name may
    stand for others too, such as 127.0.1.1. Otherwise it is the address of the interface.

    Args:
        host: this host's name, or its address.
        interface: of the network between the hosts, such as eth0 or lo.

    Raises:
        PlatformError: there is no such interface, or it has no IPv4 address.
    """
    network = _network(interface)
    for address in addresses(host):
        if ipaddress.ip_address(address) in network.network:
            return address
    return str(network.ip)


def addresses(host: str) -> list[str]:
    """The IPv4 addresses that a host's name stands for; none where it is not known (yet)."""
    try:
        found = socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_STREAM)
    except OSError:
        return []
    return [str(address[0]) for *_, address in found]


def _network(interface: str) -> ipaddress.IPv4Interface:
    """An interface's address, with its network."""
    try:
        address, mask = (_ask(interface, what) for what in (_SIOCGIFADDR, _SIOCGIFNETMASK))
    except OSError as error:
        existing = ", ".join(name for _, name in socket.if_nameindex())
        raise PlatformError(
            f"resourceconfig.json: network_interface_name is {interface!r}, which has no IPv4 "
            f"address here ({error.strerror}). This host's interfaces: {existing}."
        ) from error
    return ipaddress.IPv4Interface(f"{address}/{mask}")


def _ask(interface: str, what: int) -> str:
    name = interface.encode()[:_NAME_BYTES]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as anything:
        answer = fcntl.ioctl(anything.fileno(), what, struct.pack("256s", name))
    return socket.inet_ntoa(answer[20:24])
