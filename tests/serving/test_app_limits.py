"""How many images the app holds at once, how large they may be, and what it says beyond that."""

import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import pytest
from PIL import Image

from semseg.serving import app as app_module
from semseg.serving import room as rooms
from semseg.serving.app import create_app
from semseg.serving.decoding import announced, decode
from semseg.serving.room import Room
from semseg.serving.settings import Settings
from tests.serving.test_app import ACCEPT_PNG, IMAGE, assert_is_one_sentence

from .conftest import Pixels, image_file, wait_for


def test_requests_beyond_the_bound_are_sent_away_and_ping_still_answers(engine, predictor):
    app = create_app(engine, Settings(in_flight=3))
    predictor.go_on.clear()

    def post() -> int:
        with app.test_client() as client, client.post("/invocations", data=IMAGE) as response:
            return response.status_code

    with ThreadPoolExecutor(3) as clients:
        held = [clients.submit(post) for _ in range(3)]
        wait_for(lambda: engine._jobs.qsize() == 2)
        client = app.test_client()
        with client.post("/invocations", data=IMAGE) as refused:
            assert refused.status_code == 503
            assert int(refused.headers["Retry-After"]) > 0
            assert_is_one_sentence(refused)
        assert client.get("/ping").status_code == 200
        predictor.go_on.set()

    assert [answer.result() for answer in held] == [200, 200, 200]


def test_every_way_out_gives_the_place_back(engine):
    app = create_app(engine, Settings(in_flight=1))
    for body in [b"", b"no image", IMAGE, IMAGE[:-30], IMAGE]:
        with app.test_client().post("/invocations", data=body) as response:
            assert response.status_code != 503


def test_a_place_is_kept_until_the_answer_has_been_sent(engine):
    app = create_app(engine, Settings(in_flight=1))
    first = app.test_client().post("/invocations", data=IMAGE, buffered=False)

    with app.test_client().post("/invocations", data=IMAGE) as second:
        assert second.status_code == 503
    first.close()
    with app.test_client().post("/invocations", data=IMAGE) as third:
        assert third.status_code == 200


class Socket:
    """What the app asks of gunicorn's connection."""

    def __init__(self, gone: bool = False) -> None:
        self.gone = gone
        self.callbacks: list[Callable[[], None]] = []

    def when_sent(self, callback: Callable[[], None]) -> None:
        self.callbacks.append(callback)

    def cut_off(self) -> None:
        self.gone = True


def post(app, accept: str, socket: Socket | None = None) -> int:
    options = {"environ_overrides": {"gunicorn.socket": socket}} if socket else {}
    client = app.test_client()
    with client.post("/invocations", data=IMAGE, headers={"Accept": accept}, **options) as answer:
        return answer.status_code


def test_a_client_that_has_hung_up_costs_no_forward(engine, predictor):
    app = create_app(engine, Settings())

    assert post(app, "image/png", Socket(gone=True)) == 499
    assert not predictor.images
    assert post(app, "image/png", Socket()) == 200


@pytest.mark.parametrize("gone", [False, True])
def test_an_image_does_not_outlive_its_request(engine, monkeypatch, without_a_collector, gone):
    decoded = []

    def decode_to_pixels(body):
        pixels = decode(body).view(Pixels)
        decoded.append(weakref.ref(pixels))
        return pixels

    monkeypatch.setattr(app_module, "decode", decode_to_pixels)
    app = create_app(engine, Settings())

    assert post(app, "image/png", Socket(gone)) == (499 if gone else 200)
    wait_for(lambda: decoded[0]() is None)


def test_images_and_answers_that_wait_are_bounded(engine, predictor):
    one_answer = 54 * (3 + 21 * 4)  # the image, and its probabilities
    app = create_app(engine, Settings(), room=Room(2 * one_answer), num_classes=21)
    sockets = [Socket() for _ in range(3)]

    assert [post(app, "application/x-npy", socket) for socket in sockets] == [200, 200, 503]
    assert len(predictor.images) == 2
    for callback in sockets[0].callbacks:
        callback()
    assert post(app, "application/x-npy", sockets[2]) == 200
    assert post(app, "image/png", Socket()) == 503


def test_who_takes_an_answer_slowly_makes_room_for_the_next(engine, monkeypatch):
    monkeypatch.setattr(rooms, "_SLOW", -1)
    app = create_app(engine, Settings(), room=Room(54 * (3 + 21 * 4)), num_classes=21)
    slow = Socket()

    assert post(app, "application/x-npy", slow) == 200
    assert not slow.gone
    assert post(app, "application/x-npy", Socket()) == 503
    assert slow.gone


@pytest.mark.parametrize("accept", ["image/png", "application/x-npy"])
def test_there_is_room_for_an_image_before_it_is_decoded(engine, predictor, monkeypatch, accept):
    decoded = []
    monkeypatch.setattr(app_module, "decode", lambda body: decoded.append(body) or decode(body))
    room = Room(100_000)
    app = create_app(engine, Settings(), room=room, num_classes=3)
    others = room.take(100_000)
    assert others is not None

    assert post(app, accept) == 503
    assert not decoded
    others.release()
    assert post(app, accept) == 200
    assert len(decoded) == 1


def test_an_image_that_is_decoded_takes_less_room(engine, predictor):
    file = image_file(200, 300, "JPEG")
    decoding = announced(file, 60_000).decoding_bytes
    app = create_app(engine, Settings(), room=Room(decoding + 3 * 60_000 * 4))
    predictor.go_on.clear()

    def ask() -> int:
        with app.test_client().post("/invocations", data=file, headers=ACCEPT_PNG) as answer:
            return answer.status_code

    with ThreadPoolExecutor(4) as clients:
        asked = [clients.submit(ask) for _ in range(4)]
        wait_for(lambda: engine._jobs.qsize() == 3)  # besides the one that is at work
        assert ask() == 503
        predictor.go_on.set()
    assert [answer.result() for answer in asked] == [200, 200, 200, 200]


def test_what_is_damaged_gives_its_room_back(engine):
    app = create_app(engine, Settings(), room=Room(announced(IMAGE, 54).decoding_bytes))

    for body in 3 * [IMAGE[:-30], IMAGE]:
        with app.test_client().post("/invocations", data=body) as answer:
            assert answer.status_code == (200 if body is IMAGE else 400)


def test_without_a_socket_the_end_of_the_answer_makes_room(engine):
    app = create_app(engine, Settings(), room=Room(1), num_classes=3)

    assert [post(app, accept) for accept in 3 * ["application/x-npy"]] == [200, 200, 200]


def test_probabilities_have_a_limit_of_their_own(engine):
    app = create_app(engine, Settings(max_pixels=10_000), num_classes=21, most_values=21 * 500)
    client = app.test_client()

    def status(accept: str) -> tuple[int, str]:
        answer = client.post("/invocations", data=image_file(30, 20), headers={"Accept": accept})
        return answer.status_code, answer.text if answer.status_code != 200 else ""

    assert status("image/png")[0] == 200
    code, sentence = status("application/x-npy")
    assert code == 413
    assert "500" in sentence
    assert "a mask (image/png) needs less memory" in sentence


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        (None, 413),
        ("application/x-protobuf", 413),
        ("image/png", 400),
        ("application/x-npy", 400),
    ],
)
def test_what_no_record_can_hold_is_told_before_anything_is_computed(
    engine, predictor, accept, status
):
    client = create_app(engine, Settings(), num_classes=21).test_client()
    body = BytesIO()
    Image.new("1", (4000, 1600)).save(body, "PNG")  # 6.4 megapixels; a record holds 6.39
    damaged = body.getvalue()[:-30]

    headers = {"Accept": accept} if accept else {}
    answer = client.post("/invocations", data=damaged, headers=headers)

    assert answer.status_code == status
    if status == 413:
        assert "the limit is 6391308." in answer.text
        assert "image/png or application/x-npy" in answer.text
        assert_is_one_sentence(answer)
