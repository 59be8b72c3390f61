"""Clients: one after the other, many at once, and one that only asks whether all is well."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from scripts.local.endpoint import local_session

_PATIENCE = 600  # seconds
_HEADERS = {"Content-Type": "image/jpeg", "Accept": "image/png"}


class Client:
    """One connection, kept open."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = local_session()

    def ask(self, body: bytes) -> None:
        """Waits for a mask. Where the server says that it is full, asks again as it says."""
        while True:
            answer = self._session.post(
                f"{self._url}/invocations", body, headers=_HEADERS, timeout=_PATIENCE
            )
            if answer.status_code != 503:
                answer.raise_for_status()
                return
            time.sleep(float(answer.headers.get("Retry-After", "1")))

    def ping(self) -> None:
        """Asks whether all is well."""
        self._session.get(f"{self._url}/ping", timeout=_PATIENCE).raise_for_status()


@dataclass
class Load:
    """What clients that all ask at once got.

    Attributes:
        images: answers so far.
        last: when the last one came, by `time.perf_counter`.
    """

    images: int = 0
    last: float = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self) -> None:
        """Notes an answer."""
        with self._lock:
            self.images += 1
            self.last = time.perf_counter()


def throughput(url: str, body: bytes, clients: int, seconds: float) -> tuple[int, float]:
    """Answers to clients that ask again as soon as they have one, and the seconds that took.

    After `seconds`, none asks again; those that wait are waited for and counted.
    """
    started = time.perf_counter()
    with load(url, body, clients) as found:
        time.sleep(seconds)
    return found.images, found.last - started


@contextmanager
def load(url: str, body: bytes, clients: int) -> Iterator[Load]:
    """Keeps a server busy with so many clients while the block runs."""
    done = threading.Event()
    found = Load()

    def work() -> None:
        client = Client(url)
        while not done.is_set():
            client.ask(body)
            found.count()

    with ThreadPoolExecutor(clients) as pool:
        running = [pool.submit(work) for _ in range(clients)]
        try:
            yield found
        finally:
            done.set()
        for each in running:
            each.result()
