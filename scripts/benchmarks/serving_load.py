"""`serve` under full load for as long as one likes, with clients of every kind.

    python -m scripts.benchmarks.serving_load --minutes 30

Sixteen clients send images of many sizes one after the other and ask for everything that is
offered, now and then with a body or an Accept that cannot be served; beside them others hang up,
send slowly, stop in the middle, and read slowly (`load_clients`). It fails if there is a 5xx other
than 503, an answer that is wrong or breaks off, a worker that is lost, memory that grows, or a
`/ping` whose 99th percentile is above 100 ms.
"""

import argparse
import json
import multiprocessing
import random
import statistics
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from scripts.benchmarks import load_clients
from scripts.benchmarks.load_clients import Client, Tally, draw_pictures
from scripts.benchmarks.serving.models import write_random_artifact
from scripts.local.endpoint import Endpoint, local_session

PLACE = Path("build/benchmarks/serving-load")
PICTURES = 120
CREW: tuple[tuple[Client, int], ...] = (
    (load_clients.hang_up, 2),
    (load_clients.drip, 6),
    (load_clients.stop_in_the_middle, 24),
    (load_clients.sip, 2),
)
_WARM_UP_PART = 1 / 3
_MOST_GROWTH = 1.1
_SLOWEST_PING = 0.1


def ping_for(url: str, seconds: float) -> list[float]:
    """Seconds that each `/ping` took; in a process of its own, which nobody else slows down."""
    times = []
    with local_session() as session:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            started = time.perf_counter()
            session.get(f"{url}/ping", timeout=10).raise_for_status()
            times.append(time.perf_counter() - started)
            time.sleep(0.05)
    return times


def put_under_load(
    endpoint: Endpoint, seconds: float, clients: int, largest: int
) -> tuple[dict[str, object], list[str]]:
    """What was seen, and what must not have been."""
    host, port = "127.0.0.1", int(endpoint.url.rpartition(":")[2])
    rng = random.Random(1)
    pictures, tally = draw_pictures(PICTURES, largest, rng), Tally()
    crew = [load_clients.ask] * clients + [client for client, many in CREW for _ in range(many)]
    threads = [
        threading.Thread(
            target=client, args=(host, port, pictures, random.Random(number), tally), daemon=True
        )
        for number, client in enumerate(crew)
    ]
    at_first = endpoint.workers()
    memory = []
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        pings = pool.submit(ping_for, endpoint.url, seconds)
        for thread in threads:
            thread.start()
        while not pings.done():
            memory.append(max(endpoint.workers().values()) / 2**20)
            time.sleep(min(5, seconds / 60))
        tally.stop.set()
        times = pings.result()
    for thread in threads:
        thread.join(150)
    slowest = statistics.quantiles(times, n=100)[-1]
    settled = memory[int(len(memory) * _WARM_UP_PART) :]
    middle, end = max(settled[: len(settled) // 2]), max(settled[len(settled) // 2 :])

    problems = [f"{what} ({count} times)" for what, count in tally.wrong.items()]
    if endpoint.workers().keys() != at_first.keys():
        problems.append(f"workers {[*at_first]} became {[*endpoint.workers()]}")
    if end > _MOST_GROWTH * middle:
        problems.append(f"memory grew from {middle:.0f} to {end:.0f} MiB")
    if slowest > _SLOWEST_PING:
        problems.append(f"the 99th percentile of /ping is {slowest:.3f} s")
    seen: dict[str, object] = {
        "seconds": round(seconds),
        "answers": dict(sorted(tally.answers.items())),
        "/ping": {
            "count": len(times),
            "median, ms": round(statistics.median(times) * 1000, 1),
            "p99, ms": round(slowest * 1000, 1),
            "max, ms": round(max(times) * 1000, 1),
        },
        "resident memory of the largest worker, MiB": [
            round(memory[int(part * (len(memory) - 1) / 10)]) for part in range(11)
        ],
    }
    return seen, problems


def main() -> int:
    """Runs the load and prints as JSON what came of it; 1 if something was not as it should be."""
    parser = argparse.ArgumentParser(description="Put serve under full load.")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--largest", type=int, default=800, help="pixels of the longest side")
    parser.add_argument("--place", type=Path, default=PLACE)
    arguments = parser.parse_args()
    base = arguments.place.resolve()
    write_random_artifact(base / "model", "fcn")
    with Endpoint(base, arguments.place / "serve.log") as endpoint:
        seen, problems = put_under_load(
            endpoint, arguments.minutes * 60, arguments.clients, arguments.largest
        )
    if "Traceback" in (arguments.place / "serve.log").read_text():
        problems.append("there is a traceback in the log")
    print(json.dumps({**seen, "problems": problems}, indent=2))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
