"""The clients of `serving_load`: those who behave, and those who do not.

Each is a function that goes on until it is told to stop, and notes what it has seen in a `Tally`.
"""

import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO

import numpy as np
import requests
from PIL import Image, ImageFilter

from scripts.local.endpoint import local_session

ACCEPTS = ("image/png", "application/x-recordio-protobuf", "application/x-npy", "*/*")
_PATH = "/invocations"
_TOO_LONG = b"x" * (6 * 1024 * 1024 + 1)
_BUSY_PAUSE = 0.1


@dataclass(frozen=True)
class Picture:
    """An image file and the size of the mask it should get."""

    body: bytes
    width: int
    height: int


@dataclass
class Tally:
    """What the clients have seen, counted; for all threads."""

    answers: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    stop: threading.Event = field(default_factory=threading.Event)

    def note(self, who: str, status: int, *expected: int) -> None:
        """Counts an answer; 503 is always among the expected ones."""
        self.answers[f"{who}: {status}"] += 1
        if status not in (*expected, 503):
            self.wrong[f"{who}: {status} where {expected} was expected"] += 1

    def complain(self, who: str, problem: object) -> None:
        """Counts something that must not happen."""
        self.wrong[f"{who}: {problem}"] += 1


Client = Callable[[str, int, list[Picture], random.Random, Tally], None]


def draw_pictures(count: int, largest: int, rng: random.Random) -> list[Picture]:
    """JPEG and PNG files of as many sizes, most of them small, as of clients' photos."""
    pictures = []
    for number in range(count):
        width, height = (round(64 * (largest / 64) ** rng.random()) for _ in range(2))
        noise = np.random.default_rng(number).integers(0, 256, (height, width, 3), np.uint8)
        body = BytesIO()
        image = Image.fromarray(noise).filter(ImageFilter.GaussianBlur(2))
        image.save(body, ("JPEG", "PNG")[number % 2])
        pictures.append(Picture(body.getvalue(), width, height))
    return pictures


def ask(host: str, port: int, pictures: list[Picture], rng: random.Random, tally: Tally) -> None:
    """Images one after the other, each answer looked at; now and then something that is none."""
    url = f"http://{host}:{port}{_PATH}"
    with local_session() as session:
        while not tally.stop.is_set():
            picture, accept = rng.choice(pictures), rng.choice(ACCEPTS)
            body, expected = picture.body, 200
            kind = rng.random()
            if kind < 0.02:
                body, expected = b"", 400
            elif kind < 0.04:
                body, expected = b"no image", 415
            elif kind < 0.06:
                body, expected = picture.body[: len(picture.body) // 2], 400
            elif kind < 0.08:
                accept, expected = "application/json", 406
            elif kind < 0.085:
                body, expected = _TOO_LONG, 413
            try:
                answer = session.post(url, data=body, headers={"Accept": accept}, timeout=120)
            except requests.RequestException as problem:
                tally.complain("ask", repr(problem))
                continue
            tally.note("ask", answer.status_code, expected)
            if answer.status_code == 200 and accept == "image/png":
                size = [int.from_bytes(answer.content[at : at + 4], "big") for at in (16, 20)]
                if size != [picture.width, picture.height]:
                    tally.complain("ask", f"a mask of {size} for {picture.width, picture.height}")
            if answer.status_code == 503:
                time.sleep(_BUSY_PAUSE)


def hang_up(
    host: str, port: int, pictures: list[Picture], rng: random.Random, tally: Tally
) -> None:
    """Requests, whole or in part, whose client does not wait for the answer."""
    while not tally.stop.is_set():
        message = _message(rng.choice(pictures), "image/png")
        try:
            with socket.create_connection((host, port), timeout=30) as connection:
                connection.sendall(message[: rng.choice([len(message), len(message) // 2, 20])])
                time.sleep(rng.uniform(0, 0.5))
            tally.answers["hang up"] += 1
        except OSError as problem:
            tally.complain("hang up", problem)


def drip(host: str, port: int, pictures: list[Picture], rng: random.Random, tally: Tally) -> None:
    """Requests that are sent in twenty pieces, with pauses between them."""
    while not tally.stop.is_set():
        message = _message(rng.choice(pictures), "image/png")
        size = len(message) // 20 + 1
        try:
            with socket.create_connection((host, port), timeout=120) as connection:
                for place in range(0, len(message), size):
                    connection.sendall(message[place : place + size])
                    time.sleep(0.3)
                tally.note("drip", int(connection.recv(65536).split()[1]), 200)
        except (OSError, IndexError) as problem:
            tally.complain("drip", problem)


def stop_in_the_middle(
    host: str, port: int, pictures: list[Picture], rng: random.Random, tally: Tally
) -> None:
    """Half a request, held until the server has enough of it."""
    while not tally.stop.is_set():
        message = _message(rng.choice(pictures), "image/png")
        try:
            with socket.create_connection((host, port), timeout=5) as connection:
                connection.sendall(message[: rng.choice([10, len(message) // 2])])
                while not tally.stop.is_set():
                    try:
                        if not connection.recv(65536):
                            break
                    except TimeoutError:
                        continue
            tally.answers["stop in the middle"] += 1
        except OSError as problem:
            tally.complain("stop in the middle", problem)


def sip(host: str, port: int, pictures: list[Picture], rng: random.Random, tally: Tally) -> None:
    """Probabilities, read slowly, and all of them."""
    while not tally.stop.is_set():
        message = _message(rng.choice(pictures), "application/x-npy", "Connection: close\r\n")
        try:
            with socket.create_connection((host, port), timeout=120) as connection:
                connection.sendall(message)
                answer = connection.recv(65536)
                status = int(answer.split()[1])
                head, _, body = answer.partition(b"\r\n\r\n")
                [length] = [
                    int(line.split()[1])
                    for line in head.splitlines()
                    if line.lower().startswith(b"content-length")
                ]
                received = len(body)
                while more := connection.recv(65536):
                    received += len(more)
                    time.sleep(0.03)
            tally.note("sip", status, 200)
            if received != length:
                tally.complain("sip", "an answer that broke off")
        except (OSError, IndexError, ValueError) as problem:
            tally.complain("sip", problem)


def _message(picture: Picture, accept: str, more: str = "") -> bytes:
    head = (
        f"POST {_PATH} HTTP/1.1\r\nHost: x\r\nAccept: {accept}\r\n{more}"
        f"Content-Length: {len(picture.body)}\r\n\r\n"
    )
    return head.encode() + picture.body
