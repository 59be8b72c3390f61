"""The TCP ports that hosts talk over, the same on every host.

They are below the range from which Linux takes ports for outgoing connections. Each is bound on the
host's own address only, so that several hosts of a test can share a machine.
"""

import socket

from semseg.sagemaker.errors import PlatformError

TEAM = 9410  # first host: who is there, and numbers to add up
SCHEDULER = 9411  # first host: ps-lite's scheduler
SERVER = 9412  # ps-lite's server
WORKER = 9413  # ps-lite's worker, which is `train` itself


def listen(address: str, port: int) -> socket.socket:
    """A socket that listens on one port of one address.

    Raises PlatformError where that port is taken.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise PlatformError(
            f"Port {port} of {address}, which hosts talk over, cannot be used: {error.strerror}. "
            "Does another training job run here?"
        ) from error
    return listener


def check_free(address: str, ports: tuple[int, ...]) -> None:
    """Raises PlatformError if one of the ports is taken, which ps-lite would not say."""
    for port in ports:
        listen(address, port).close()
