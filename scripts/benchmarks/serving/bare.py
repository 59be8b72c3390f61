"""One engine in a process of its own: seconds from a decoded image to its mask.

    python -m scripts.benchmarks.serving.bare ENGINE FOLDER HEIGHT WIDTH SECONDS LEAST

Prints a JSON object: the seconds of each image, how many CPUs they kept busy, and the process' peak
memory.
"""

import json
import os
import sys
import time
from pathlib import Path

from scripts.benchmarks.serving.engines import ENGINES
from scripts.benchmarks.serving.memory import peak_bytes
from scripts.benchmarks.serving.pictures import decode, jpeg
from scripts.benchmarks.serving.timing import repeat


def main() -> None:
    """Reads the arguments and measures."""
    engine, folder = sys.argv[1], Path(sys.argv[2])
    height, width, least = int(sys.argv[3]), int(sys.argv[4]), int(sys.argv[6])
    mask = ENGINES[engine](folder, height, width)
    image = decode(jpeg(height, width))
    wall, cpu = time.perf_counter(), time.process_time()
    seconds = repeat(lambda: mask(image), float(sys.argv[5]), least)
    cpus = (time.process_time() - cpu) / (time.perf_counter() - wall)
    print(json.dumps({"seconds": seconds, "cpus": cpus, "peak_bytes": peak_bytes(os.getpid())}))


if __name__ == "__main__":
    main()
