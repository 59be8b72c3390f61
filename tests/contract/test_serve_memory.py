"""A worker's memory, seen from outside."""

import random
from pathlib import Path

import pytest

from tests.contract.server import Server

# A working set and not a leak: oneDNN keeps 200 kernels for each of a few threads.
MOST_MIB = 1200
MOST_GROWTH_MIB = 100


def worker_mib(server: Server) -> float:
    """Resident memory of the server's only worker."""
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
    [worker] = children.read_text().split()
    status = Path(f"/proc/{worker}/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1024


@pytest.mark.slow
def test_images_of_ever_new_sizes_do_not_add_up(served_tree, image_file, tmp_path):
    sizes = random.Random(1)

    def ask(server: Server, images: int) -> float:
        for _ in range(images):
            image = image_file(sizes.randrange(33, 200), sizes.randrange(33, 200))
            assert server.post(image).status_code == 200
        return worker_mib(server)

    with Server(served_tree, tmp_path / "log") as server:
        server.wait_until(200)
        settled = ask(server, 60)
        later = ask(server, 60)
    assert later < MOST_MIB
    assert later - settled < MOST_GROWTH_MIB
