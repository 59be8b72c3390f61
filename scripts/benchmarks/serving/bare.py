"""One engine in a process of its own: seconds from a decoded image to its mask.

    python -m scripts.benchmarks.serving.bare ENGINE FOLDER HEIGHT WIDTH SECONDS LEAST

Prints a JSON object with the seconds of each image and the process' peak memory.
"""

import json
import resource
import sys
from pathlib import Path

from scripts.benchmarks.serving.engines import ENGINES
from scripts.benchmarks.serving.pictures import decode, jpeg
from scripts.benchmarks.serving.timing import repeat


def main() -> None:
    """Reads the arguments and measures."""
    engine, folder = sys.argv[1], Path(sys.argv[2])
    height, width, least = int(sys.argv[3]), int(sys.argv[4]), int(sys.argv[6])
    mask = ENGINES[engine](folder, height, width)
    image = decode(jpeg(height, width))
    seconds = repeat(lambda: mask(image), float(sys.argv[5]), least)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": seconds, "peak_bytes": peak}))


if __name__ == "__main__":
    main()
