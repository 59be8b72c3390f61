"""How long `serve` takes to answer, next to the bare forward of the same network.

    python -m scripts.benchmarks.serving_latency

Seconds from the process' start to the first 200 of `/ping`, and seconds per 480x480 picture:
through HTTP, from a JPEG to a PNG mask, and the bare hybridized forward of a batch of one, compiled
for this one size. The two take turns on one machine, so that its moods meet both. The weights are
random, which costs the same time as trained ones.
"""

import argparse
import io
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from scripts.local.endpoint import Endpoint
from semseg import runtime

SIDE = 480
CLASSES = 21


def write_artifact(model: Path, algorithm: str) -> None:
    """A model with random weights, as `train` would leave it."""
    import mxnet as mx

    from semseg.networks import artifact
    from semseg.networks.zoo import build

    model.mkdir(parents=True, exist_ok=True)
    mx.random.seed(1)
    network = build(algorithm, "resnet-50", CLASSES)
    network.start_untrained(mx.cpu())
    artifact.write_configuration(
        model,
        {
            "algorithm": algorithm,
            "backbone": "resnet-50",
            "num_classes": str(CLASSES),
            "crop_size": "240",
        },
    )
    artifact.write_parameters(model / artifact.BEST, network)


class BareForward:
    """The same network in this process, hybridized for one size, without its auxiliary head."""

    def __init__(self, model: Path) -> None:
        import mxnet as mx

        from semseg.networks.artifact import read_artifact
        from semseg.networks.base import MainPath
        from semseg.networks.zoo import build

        found = read_artifact(model)
        shape = found.architecture
        network = build(shape.algorithm, shape.backbone, shape.num_classes)
        network.load_parameters(str(found.parameters))
        self._network = MainPath(network)
        self._network.hybridize(static_alloc=True, static_shape=True)
        self._batch = mx.nd.random.normal(shape=(1, 3, SIDE, SIDE))

    def __call__(self) -> None:
        """One forward, waited for."""
        self._network(self._batch).wait_to_read()


def picture() -> bytes:
    """A JPEG of 480x480 that is neither empty nor mere noise."""
    noise = np.random.default_rng(1).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    image = Image.fromarray(noise).filter(ImageFilter.GaussianBlur(3))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=90)
    return file.getvalue()


def timed(action: Callable[[], object]) -> float:
    """Seconds that an action takes, once the other process' OpenMP threads have gone to sleep."""
    time.sleep(0.3)
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def measure(place: Path, algorithm: str, repetitions: int) -> dict[str, float]:
    """Starts `serve`, asks it and the bare network in turns, and returns medians in seconds."""
    base = place.resolve()
    write_artifact(base / "model", algorithm)
    bare = BareForward(base / "model")
    body = picture()
    over_http, forward = [], []
    with Endpoint(base, place / "serve.log") as endpoint:
        for repetition in range(-2, repetitions):  # the first two build what later ones find built
            http_seconds = timed(lambda: endpoint.invoke(body, "image/jpeg", accept="image/png"))
            forward_seconds = timed(bare)
            if repetition >= 0:
                over_http.append(http_seconds)
                forward.append(forward_seconds)
    median_http, median_forward = statistics.median(over_http), statistics.median(forward)
    return {
        "seconds to /ping": endpoint.seconds_to_ping,
        "seconds per image over HTTP": median_http,
        "seconds per bare forward": median_forward,
        "ratio": median_http / median_forward,
    }


def main() -> None:
    """Reads the arguments and prints the figures as JSON."""
    parser = argparse.ArgumentParser(description="Measure how quickly serve answers.")
    parser.add_argument("--algorithm", default="fcn", choices=("fcn", "psp", "deeplab"))
    parser.add_argument("--repetitions", type=int, default=15)
    parser.add_argument("--place", type=Path, default=Path("build/benchmarks/serving"))
    arguments = parser.parse_args()
    runtime.prepare()
    figures = measure(arguments.place, arguments.algorithm, arguments.repetitions)
    print(json.dumps({name: round(value, 3) for name, value in figures.items()}, indent=2))


if __name__ == "__main__":
    main()
