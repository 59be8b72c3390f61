"""The choices in `serve` that were made by measuring, measured again on this machine.

    python -m scripts.benchmarks.serving_choices [encoding] [http] [batches] [workers]

- `encoding`: masks as PNG by compression level and strategy, and all that is done
  to a request beside the network.
- `http`: what a request takes beyond the forward, as `/metrics` tells it.
- `batches`: seconds per image of the network for one image at a time, and several of one size.
- `workers`: one worker with all CPUs, and several that share them: seconds per image for one
  client, and images per second for eight.

The network is an FCN on ResNet-50 with random weights, which costs the same time as trained ones.
"""

import argparse
import os
import socket
import statistics
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from scripts.benchmarks.serving.models import CLASSES, write_random_artifact
from scripts.benchmarks.serving.pictures import jpeg
from scripts.local.endpoint import Endpoint
from semseg import runtime
from semseg.container import available_cpus
from semseg.data.normalization import normalize
from semseg.sagemaker.record import encode_record
from semseg.serving.decoding import decode
from semseg.serving.encoders import encode_npy, encode_png

PLACE = Path("build/benchmarks/serving-choices")
HEIGHT, WIDTH = 660, 799
STRATEGIES = ("default", "filtered", "huffman", "rle", "fixed")  # by zlib's numbers
CLIENTS = 8
SECONDS = 20.0
_FORWARD = 'semseg_stage_seconds_sum{stage="forward"}'

Mask = npt.NDArray[np.uint8]


def table(title: str, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Prints a table in Markdown."""
    columns = list(columns)
    print(f"\n{title}\n\n| {' | '.join(columns)} |\n|{' --- |' * len(columns)}")
    for row in rows:
        print(f"| {' | '.join(map(str, row))} |", flush=True)


def seconds(action: Callable[[], object], repetitions: int = 7) -> float:
    """The median of several runs, after one that does not count."""
    action()
    times = []
    for _ in range(repetitions):
        started = time.perf_counter()
        action()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def likely_mask(softness: float) -> Mask:
    """What a network may say: the largest of the classes' scores, known at every 8 pixels."""
    random = np.random.default_rng(1)
    scores = []
    for _ in range(CLASSES):
        noise = random.integers(0, 256, (HEIGHT // 8, WIDTH // 8), np.uint8)
        coarse = Image.fromarray(noise).filter(ImageFilter.GaussianBlur(softness))
        scores.append(np.asarray(coarse.resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR)))
    return np.asarray(np.argmax(scores, axis=0), np.uint8)


def compare_encodings() -> None:
    """Tables of milliseconds and bytes."""
    masks = {"flat": likely_mask(8), "busy": likely_mask(0.5)}

    def row(level: int, strategy: int) -> list[object]:
        cells: list[object] = [level, STRATEGIES[strategy]]
        for mask in masks.values():
            body = BytesIO()

            def encode(mask: Mask = mask, body: BytesIO = body) -> None:
                body.seek(0)
                Image.fromarray(mask).save(
                    body, "PNG", compress_level=level, compress_type=strategy
                )

            taken = seconds(encode)
            cells += [f"{taken * 1000:.1f}", body.tell()]
        return cells

    table(
        f"PNG of a mask of {WIDTH}x{HEIGHT}",
        ["level", "strategy", *(f"{name}, {unit}" for name in masks for unit in ("ms", "bytes"))],
        (row(level, strategy) for level in (1, 6, 9) for strategy in range(len(STRATEGIES))),
    )
    probabilities = np.random.default_rng(1).random((CLASSES, HEIGHT, WIDTH), np.float32)
    body = jpeg(HEIGHT, WIDTH)
    image = decode(body)
    steps: dict[str, Callable[[], object]] = {
        "JPEG to pixels": lambda: decode(body),
        "pixels to network input (inference thread)": lambda: normalize(image),
        "mask to image/png": lambda: encode_png(masks["flat"]),
        "probabilities to application/x-recordio-protobuf": lambda: encode_record(probabilities),
        "probabilities to application/x-npy": lambda: encode_npy(probabilities),
    }
    table(
        f"What is used, for {WIDTH}x{HEIGHT} and {CLASSES} classes",
        ["step", "ms"],
        ([name, f"{seconds(step) * 1000:.1f}"] for name, step in steps.items()),
    )


def compare_answers() -> None:
    """A table of milliseconds beside the forward."""
    base = PLACE.resolve()
    write_random_artifact(base / "model", "fcn")
    body = jpeg(HEIGHT, WIDTH)

    def row(endpoint: Endpoint, accept: str) -> list[object]:
        total, forward = [], []
        for _ in range(8):
            before = forward_seconds(endpoint)
            started = time.perf_counter()
            ask_for_nothing(endpoint, body, accept)
            total.append(time.perf_counter() - started)
            time.sleep(0.2)  # until the answer has been counted
            forward.append(forward_seconds(endpoint) - before)
        beside = [all_ - part for all_, part in zip(total, forward, strict=True)]
        return [
            accept,
            f"{statistics.median(forward[1:]):.3f}",
            f"{statistics.median(beside[1:]) * 1000:.0f}",
        ]

    with Endpoint(base, PLACE / "serve.log") as endpoint:
        table(
            f"One {WIDTH}x{HEIGHT} JPEG over HTTP, {CLASSES} classes, one client",
            ["answer", "forward, seconds", "all else, ms"],
            (
                row(endpoint, accept)
                for accept in ("image/png", "application/x-recordio-protobuf", "application/x-npy")
            ),
        )


def ask_for_nothing(endpoint: Endpoint, body: bytes, accept: str) -> None:
    """Receives an answer without keeping it, which would take the client as long as the server."""
    host, _, port = endpoint.url.rpartition("/")[2].partition(":")
    head = (
        f"POST /invocations HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAccept: {accept}\r\n"
    )
    buffer = bytearray(1 << 20)
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        while connection.recv_into(buffer):
            pass


def forward_seconds(endpoint: Endpoint) -> float:
    """All that the network has worked."""
    [line] = [line for line in endpoint.metrics().splitlines() if line.startswith(_FORWARD)]
    return float(line.split()[-1])


def compare_batches() -> None:
    """A table of seconds per image."""
    runtime.prepare()
    import mxnet as mx

    from semseg.inference.forward import Forward
    from semseg.inference.int8 import int8_forward
    from semseg.networks.artifact import read_artifact
    from semseg.networks.folding import fold_batch_normalization
    from semseg.networks.graph import fused, read_graph
    from semseg.networks.quantization import Calibration, quantized

    write_random_artifact(PLACE / "model", "fcn")
    graph = fold_batch_normalization(read_graph(read_artifact(PLACE / "model")))
    calibration = Calibration(graph)
    calibration.watch(np.random.default_rng(1).normal(size=(1, 3, 240, 240)).astype(np.float32))
    networks = {
        "float32": Forward(fused(graph), mx.cpu(), most_pixels=1 << 20),
        "int8": int8_forward(quantized(graph, calibration.ranges())),
    }

    def per_image(forward: Forward, side: int, images: int) -> float:
        batch = mx.nd.random.normal(shape=(images, 3, side, side))
        for _ in range(2):  # and with the third one of a size everything is prepared
            forward(batch).wait_to_read()
        return seconds(lambda: forward(batch).wait_to_read(), 5) / images

    sizes = (1, 2, 4)
    table(
        "Seconds per image of the network, by images in a batch",
        ["precision", "pixels", *map(str, sizes)],
        (
            [name, f"{side}x{side}", *(f"{per_image(network, side, n):.3f}" for n in sizes)]
            for name, network in networks.items()
            for side in (120, 240, 480)
        ),
    )


def compare_workers() -> None:
    """A table of latency and throughput."""
    base = PLACE.resolve()
    write_random_artifact(base / "model", "fcn")
    body = jpeg(480, 480)

    def ask(endpoint: Endpoint) -> None:
        endpoint.invoke(body, "image/jpeg", accept="image/png")

    def row(workers: int) -> list[object]:
        os.environ["SAGEMAKER_MODEL_SERVER_WORKERS"] = str(workers)
        with Endpoint(base, PLACE / "serve.log") as endpoint:
            time.sleep(5 * (workers > 1))  # until all of them are there
            latency = seconds(lambda: ask(endpoint), 9)
            with ThreadPoolExecutor(CLIENTS) as clients:
                answers: list[int] = []
                started = time.perf_counter()

                def go_on(_client: int) -> None:
                    while time.perf_counter() - started < SECONDS:
                        ask(endpoint)
                        answers.append(1)

                list(clients.map(go_on, range(CLIENTS)))
                taken = time.perf_counter() - started
        return [workers, f"{latency:.3f}", f"{len(answers) / taken:.2f}"]

    cpus = available_cpus()
    table(
        f"480x480 over HTTP with {cpus} CPUs",
        ["workers", "seconds, 1 client", f"images/s, {CLIENTS} clients"],
        (row(workers) for workers in sorted({1, max(1, cpus // 2), cpus, 2 * cpus})),
    )


PARTS = {
    "encoding": compare_encodings,
    "http": compare_answers,
    "batches": compare_batches,
    "workers": compare_workers,
}


def main() -> None:
    """Measures what was asked for, or all of it."""
    parser = argparse.ArgumentParser(description="Measure what the choices in serve rest on.")
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS])
    for part in parser.parse_args().parts or PARTS:
        PARTS[part]()


if __name__ == "__main__":
    main()
