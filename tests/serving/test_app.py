import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import numpy as np
import pytest
from gunicorn.http.errors import NoMoreData
from PIL import Image

from semseg.serving.app import create_app
from semseg.serving.engine import Engine
from semseg.serving.settings import Settings

from .conftest import image_file

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
        (Chunks(IMAGE[:20], NoMoreData()), 400),
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
    assert (b"broke off" in response.data) == (body.then is not None)


def test_a_body_shorter_than_announced_is_refused(client):
    response = client.post(
        "/invocations",
        input_stream=BytesIO(IMAGE),
        environ_overrides={"CONTENT_LENGTH": str(len(IMAGE) + 1), "wsgi.input_terminated": True},
    )

    assert response.status_code == 400
    assert "broke off" in response.text
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
