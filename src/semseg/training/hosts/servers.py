"""ps-lite, MXNet's parameter server, of which each host runs a part.

The first host runs the scheduler, through which all find each other; every host a server, which
adds up its share of the gradients; and `train` itself is the worker. Scheduler and server are
processes of their own.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from semseg import runtime
from semseg.sagemaker.errors import PlatformError, SemsegError
from semseg.training.hosts import ports
from semseg.training.hosts.joining import Member

_MODULE = "semseg.training.hosts.server_process"
_ENDS_WITHIN = 5.0
_PORTS = {"scheduler": ports.SCHEDULER, "server": ports.SERVER, "worker": ports.WORKER}


class ParameterServers:
    """This host's part of ps-lite; a context, at whose end its processes end.

    Args:
        team: the hosts, all of which are there.
        servers: how many hosts run a server, the first ones; all of them if None.

    Raises:
        PlatformError: a port is taken.
    """

    def __init__(self, team: Member, servers: int | None = None) -> None:
        self._team = team
        self._servers = min(servers or team.size, team.size)
        roles = ["scheduler"] * team.is_first + ["server"] * (team.index < self._servers)
        ports.check_free(team.address, tuple(_PORTS[role] for role in [*roles, "worker"]))
        self._closing = False
        self._processes = [self._start(role, team.fail) for role in roles]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing = True
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.wait(_ENDS_WITHIN)

    def environment(self, role: str) -> dict[str, str]:
        """What ps-lite reads: the role of a process, its own address and port, and the scheduler's.

        Without `DMLC_NODE_HOST` it would take any interface, without `PORT` any port.
        """
        return {
            "DMLC_ROLE": role,
            "DMLC_PS_ROOT_URI": self._team.first_address,
            "DMLC_PS_ROOT_PORT": str(ports.SCHEDULER),
            "DMLC_NUM_WORKER": str(self._team.size),
            "DMLC_NUM_SERVER": str(self._servers),
            "DMLC_NODE_HOST": self._team.address,
            "PORT": str(_PORTS[role]),
        }

    def _start(self, role: str, fail: Callable[[SemsegError], None]) -> subprocess.Popen[bytes]:
        environment = {**os.environ, **self.environment(role)}
        runtime.prepare(environ=environment)
        process = subprocess.Popen(
            [sys.executable, "-m", _MODULE],
            env=environment,
            stdin=subprocess.PIPE,  # ends when this process does, however it does
            start_new_session=True,  # Ctrl-C is for `train`
        )

        def watch() -> None:
            code = process.wait()
            if code and not self._closing:  # 0: all hosts have closed their `Exchange`
                host = self._team.address
                fail(PlatformError(f"ps-lite's {role} on {host} ended, with exit code {code}."))

        threading.Thread(target=watch, name=f"semseg-{role}", daemon=True).start()
        return process
