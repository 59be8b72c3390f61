"""`make bench-serving`: latency, throughput and memory of serving, next to others, one table.

    python -m scripts.benchmarks.serving [--networks fcn] [--sizes 480x480] [--contenders ...]

Every contender has the same weights, the same picture, a process and an environment of its own, and
the machine to itself, one after the other. "forward" goes from a decoded image to its mask, HTTP
from a JPEG to a PNG. What is measured is kept in a folder, a file for each contender, network and
size, and the table is of all that is there: so a run may be cut into pieces. Without --models the
weights are random, which costs the same time.
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from scripts.benchmarks.serving import results
from scripts.benchmarks.serving.contenders import CONTENDERS
from scripts.benchmarks.serving.machine import machine
from scripts.benchmarks.serving.measuring import MEASURES, Bench
from scripts.benchmarks.serving.models import (
    NETWORKS,
    provide_artifact,
    quantize,
    write_onnx,
)
from scripts.benchmarks.serving.quiet import busy_share
from scripts.benchmarks.serving.results import Result
from scripts.benchmarks.serving.table import promises, table

PLACE = Path("build/benchmarks/serving")
SIZES = ("480x480", "660x799", "1080x1920")


def run(options: argparse.Namespace) -> None:
    """Measures what the options ask for; a network's and size's contenders follow each other."""
    for network in options.networks:
        folder: Path = options.place / network
        provide_artifact(network, folder / "model", options.models)
        for height, width in options.sizes:
            for name in options.contenders:
                contender = CONTENDERS[name]
                # Under load even the smallest image keeps the workers busy all the time.
                asked = contender.serve and (height, width) == min(options.sizes)
                measures = set(options.measures) - (set() if asked else {"ping"})
                if not measures:
                    continue
                if contender.engine in ("onnxruntime", "openvino"):
                    write_onnx(folder, height, width)
                elif contender.engine == "semseg, int8":
                    quantize(folder)
                blank = Result(contender=name, network=network, height=height, width=width)
                result = results.read(options.place / "results", blank)
                print(f"{NETWORKS[network]} {height}x{width} {name}", file=sys.stderr, flush=True)
                bench = Bench(contender, folder, result, options.seconds, options.least)
                before = busy_share()
                bench.measure(measures)
                result.busy = round(max(before, busy_share(), result.busy or 0), 2)
                result.machine = machine()
                result.measured = datetime.now(UTC).isoformat(timespec="seconds")
                results.write(options.place / "results", result)


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads the arguments, measures, and prints the table and what it says of the promises."""
    options = _parser().parse_args(arguments)
    if not options.table:
        run(options)
    found = results.read_all(options.place / "results")
    days = sorted({result.measured[:10] for result in found})
    print(f"{'; '.join(sorted({result.machine for result in found}))}; {', '.join(days)}")
    others = max((result.busy or 0 for result in found), default=0)
    print(f"Right before and after the measurements, others had up to {others:.0%} of the CPUs.\n")
    print(table(found))
    print(promises(found))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m scripts.benchmarks.serving", description="Measure serving, next to others."
    )
    _choose(parser, "--networks", list(NETWORKS))
    _choose(parser, "--contenders", list(CONTENDERS))
    _choose(parser, "--measures", list(MEASURES))
    parser.add_argument(
        "--sizes",
        nargs="+",
        type=_size,
        default=[_size(text) for text in SIZES],
        metavar="HxW",
        help=f"heights and widths (default: {' '.join(SIZES)})",
    )
    parser.add_argument("--seconds", type=float, default=10, help="of each measurement (10)")
    parser.add_argument("--least", type=int, default=5, help="images in each measurement (5)")
    parser.add_argument(
        "--models", type=Path, help="a folder with an artifact for each network: fcn, psp, deeplab"
    )
    parser.add_argument("--place", type=Path, default=PLACE, help="where everything is kept")
    parser.add_argument("--table", action="store_true", help="measure nothing; only the table")
    return parser


def _choose(parser: argparse.ArgumentParser, name: str, known: list[str]) -> None:
    parser.add_argument(name, nargs="+", choices=known, default=known, help="default: all")


def _size(text: str) -> tuple[int, int]:
    height, _, width = text.partition("x")
    return int(height), int(width)


if __name__ == "__main__":
    main()
