import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from semseg.serving import app as app_module
from semseg.serving.app import create_app
from semseg.serving.decoding import announced, decode
from semseg.serving.engine import Engine
from semseg.serving.room import Room
from semseg.serving.settings import Settings

from .conftest import image_file, wait_for

IMAGE = image_file(6, 9)
ACCEPT_PNG = {"Accept": "image/png"}


def assert_is_one_sentence(response) -> None:
    assert response.mimetype == "text/plain"
    assert response.text.count("\n") == 1
    assert response.text.endswith(".\n")
    assert "Traceback" not in response.text


def test_ping_has_an_empty_body(client):
    response = client.get("/ping")

    assert (response.status_code, response.data) == (200, b"")
    assert client.head("/ping").status_code == 200


def test_ping_refuses_and_images_wait_until_the_model_is_warm(predictor):
    engine, may_load = Engine(), threading.Event()
    client = create_app(engine, Settings()).test_client()

    def load():
        may_load.wait(30)
        return predictor

    engine.start(load, lambda problem: None)
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(lambda: client.post("/invocations", data=IMAGE))
        try:
            assert client.get("/ping").status_code == 503
            assert client.get("/execution-parameters").status_code == 200
            assert not answer.done()
        finally:
            may_load.set()
        assert answer.result(30).status_code == 200
    assert client.get("/ping").status_code == 200
    engine.stop(10)


def test_execution_parameters_are_spelled_as_aws_documents_them():
    client = create_app(Engine(), Settings(workers=2)).test_client()

    assert client.get("/execution-parameters").json == {
        "MaxConcurrentTransforms": 2,
        "BatchStrategy": "MULTI_RECORD",
        "MaxPayloadInMB": 6,
    }


@pytest.mark.parametrize("path", ["/invocations", "/endpoints/my-endpoint/invocations"])
@pytest.mark.parametrize(
    "content_type",
    ["image/jpeg", "image/png", "application/octet-stream", "text/csv", "x", "", None,
     "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"],
)  # fmt: skip
def test_the_content_type_does_not_matter(client, path, content_type):
    response = client.post(path, data=IMAGE, content_type=content_type, headers=ACCEPT_PNG)

    assert response.status_code == 200
    assert response.content_type == "image/png"
    with Image.open(BytesIO(response.data)) as mask:
        assert mask.size == (9, 6)


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (None, "application/x-recordio-protobuf"),
        ("*/*", "application/x-recordio-protobuf"),
        ("application/x-protobuf", "application/x-protobuf"),
        ("application/x-npy", "application/x-npy"),
        ("image/*", "image/png"),
    ],
)
def test_the_answer_has_the_type_asked_for(client, accept, content_type):
    headers = {"Accept": accept} if accept else {}

    response = client.post("/invocations", data=IMAGE, headers=headers)

    assert (response.status_code, response.content_type) == (200, content_type)


def test_the_mask_and_the_probabilities_agree(client):
    mask = client.post("/invocations", data=IMAGE, headers=ACCEPT_PNG)
    scores = client.post("/invocations", data=IMAGE, headers={"Accept": "application/x-npy"})

    with Image.open(BytesIO(mask.data)) as image:
        assert np.array_equal(np.asarray(image), np.load(BytesIO(scores.data)).argmax(0))


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("POST", "/invocations", b"", {}, 400),
        ("POST", "/invocations", b"no image", {}, 415),
        ("POST", "/invocations", IMAGE[:-30], {}, 400),
        ("POST", "/invocations", image_file(101, 100), {}, 413),
        ("POST", "/invocations", b"x" * 100_001, {}, 413),
        ("POST", "/invocations", IMAGE, {"Accept": "application/json"}, 406),
        ("GET", "/invocations", b"", {}, 405),
        ("PUT", "/invocations", IMAGE, {}, 405),
        ("POST", "/ping", b"", {}, 405),
        ("BREW", "/ping", b"", {}, 405),
        ("GET", "/", b"", {}, 404),
        ("GET", "//ping", b"", {}, 404),
        ("GET", "/ping/", b"", {}, 404),
        ("POST", "/endpoints//invocations", IMAGE, {}, 404),
        ("POST", "/endpoints/a/b/invocations", IMAGE, {}, 404),
        ("POST", "/models", b"", {}, 404),
    ],
)
def test_what_cannot_be_served_gets_one_sentence(client, method, path, body, headers, status):
    response = client.open(path, method=method, data=body, headers=headers)

    assert response.status_code == status
    assert_is_one_sentence(response)
    assert client.get("/ping").status_code == 200


@pytest.mark.parametrize("metrics", [True, False])
def test_all_there_is_is_named_where_nothing_is_found(engine, metrics):
    app = create_app(engine, Settings(metrics=metrics))
    client = app.test_client()
    expected = {
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if "<" not in rule.rule
    }

    for answer in (client.get("/nowhere"), client.put("/ping")):
        said = answer.text.partition("there are ")[2].removesuffix(".\n")
        assert {*said.replace(" and ", ", ").split(", ")} == expected


def test_a_wrong_method_is_told_the_right_one(client):
    assert "POST" in client.get("/invocations").headers["Allow"]


def test_as_many_bytes_as_allowed_are_read(client):
    response = client.post("/invocations", data=b"x" * 100_000)

    assert response.status_code == 415


class Chunks(BytesIO):
    """What gunicorn hands over of a chunked body."""

    def __init__(self, data: bytes, then: Exception | None = None) -> None:
        super().__init__(data)
        self.then = then

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        if not data and self.then:
            raise self.then
        return data

    def readinto(self, buffer) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (Chunks(IMAGE), 200),
        (Chunks(b"x" * 100_000), 415),
        (Chunks(b"x" * 100_001), 413),
        (Chunks(b"x" * 1_000_000), 413),
        (Chunks(IMAGE[:20], ValueError("invalid chunk size")), 400),
        (Chunks(IMAGE[:20], ConnectionResetError()), 400),
        (Chunks(b""), 400),
    ],
)
def test_chunked_bodies(client, body, status):
    response = client.post(
        "/invocations",
        input_stream=body,
        headers={"Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )

    assert response.status_code == status


def test_a_body_shorter_than_announced_is_refused(client):
    response = client.post(
        "/invocations",
        input_stream=BytesIO(IMAGE),
        environ_overrides={"CONTENT_LENGTH": str(len(IMAGE) + 1), "wsgi.input_terminated": True},
    )

    assert response.status_code == 400
    assert_is_one_sentence(response)


def test_our_own_fault_is_told_in_the_log_alone(client, predictor, monkeypatch, caplog):
    def burst(_image):
        raise ArithmeticError("secret")

    monkeypatch.setattr(predictor, "probabilities", burst)
    with caplog.at_level(logging.ERROR):
        response = client.post("/invocations", data=IMAGE)

    assert response.status_code == 500
    assert_is_one_sentence(response)
    assert "secret" not in response.text
    assert "ArithmeticError: secret" in caplog.text


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
