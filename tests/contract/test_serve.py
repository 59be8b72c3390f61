"""What a client gets from `serve`, over real HTTP."""

import http.client
import socket
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import numpy as np
import pytest
import requests
from PIL import Image

from tests.contract.conftest import CLASSES
from tests.contract.test_serve_metrics import figures


def pixels_of(png: bytes) -> np.ndarray:
    with Image.open(BytesIO(png)) as image:
        assert (image.format, image.mode) == ("PNG", "L")
        return np.asarray(image)


def test_ping_and_execution_parameters(server):
    ping = requests.get(f"{server.url}/ping", timeout=2)
    parameters = requests.get(f"{server.url}/execution-parameters", timeout=2)

    assert (ping.status_code, ping.content) == (200, b"")
    assert parameters.json()["BatchStrategy"] == "MULTI_RECORD"


def test_the_log_has_the_original_s_lines_in_its_order(server):
    parameters = server.log_file.parent  # not where the model lies
    assert str(parameters) not in server.log
    lines = [
        "loading model...",
        "Number of GPUs being used: ",
        "Loading weights from ",
        "model_best.params\n",
        "...model loaded.\n",
    ]
    places = [server.log.index(line) for line in lines]
    assert places == sorted(places)


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (33, 47), (64, 64), (65, 9)])
@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_the_mask_has_the_image_s_own_size(server, image_file, size, format):
    answer = server.post(image_file(*size, format), headers={"Content-Type": "text/plain"})

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/png")
    mask = pixels_of(answer.content)
    assert mask.shape == size
    assert mask.max() < CLASSES


def test_the_answers_to_one_image_agree(server, image_file):
    image = image_file(41, 57)
    mask = pixels_of(server.post(image).content)
    probabilities = np.load(BytesIO(server.post(image, "application/x-npy").content))

    assert probabilities.dtype == np.float32
    assert probabilities.shape == (CLASSES, 41, 57)
    np.testing.assert_allclose(probabilities.sum(0), 1, atol=1e-5)
    assert (probabilities.argmax(0) == mask).mean() > 0.99


@pytest.mark.parametrize("accept", [None, "*/*", "application/x-protobuf"])
def test_the_decode_steps_of_aws_s_notebook(server, image_file, tmp_path, accept):
    import mxnet as mx

    from tests.contract.record_schema import Record

    image = image_file(41, 57)
    answer = server.post(image, accept)
    assert answer.headers["Content-Type"] == (
        "application/x-protobuf" if accept and "x-" in accept else "application/x-recordio-protobuf"
    )
    file = tmp_path / "result"
    file.write_bytes(answer.content)

    record = Record()
    recordio = mx.recordio.MXRecordIO(str(file), "r")
    record.ParseFromString(recordio.read())
    recordio.close()
    values = list(record.features["target"].float32_tensor.values)
    shape = list(record.features["shape"].int32_tensor.values)
    scores = np.squeeze(np.reshape(np.array(values), shape), axis=0)

    assert shape == [1, CLASSES, 41, 57]
    mask = np.argmax(scores, axis=0)
    assert (mask == pixels_of(server.post(image).content)).mean() > 0.99


@pytest.mark.slow
@pytest.mark.timeout(1200)  # some are large, and some CPUs slow
def test_odd_images_get_an_answer_or_a_sentence(server, shared):
    for path in sorted(shared("data/odd-images").iterdir()):
        answer = server.post(path.read_bytes())

        assert answer.status_code in (200, 400, 413, 415), path.name
        if answer.status_code == 200:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Pillow's remarks on metadata
                image = Image.open(path)
            with image:
                assert pixels_of(answer.content).shape == (image.height, image.width), path.name
        else:
            assert answer.headers["Content-Type"].startswith("text/plain"), path.name
            assert answer.text.endswith(".\n"), path.name
            assert "Traceback" not in answer.text, path.name
        assert server.ping() == 200, path.name
    assert "Traceback" not in server.log


def test_what_cannot_be_served_gets_a_sentence(server, image_file):
    long = b"x" * (6 * 1024 * 1024 + 1)
    wrong = {
        400: [server.post(b""), server.post(image_file(40, 40)[:-40])],
        404: [requests.get(f"{server.url}/models", timeout=5)],
        405: [requests.get(f"{server.url}/invocations", timeout=5)],
        406: [server.post(image_file(9, 9), "application/json")],
        413: [server.post(long), server.post(iter([long]))],  # by length, and in chunks
        415: [server.post(b"no image")],
    }
    for status, answers in wrong.items():
        for answer in answers:
            assert answer.status_code == status
            assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
            assert answer.text.count("\n") == 1


def test_a_request_that_is_no_http_is_counted(server):
    counter = ("semseg_requests_total", "none", "400")
    before = figures(server).get(counter, 0)
    assert say(server.port, b"nonsense\r\n\r\n").startswith(b"HTTP/1.1 400 ")
    assert figures(server)[counter] == before + 1


def test_a_refused_request_leaves_the_connection_usable(server):
    body = b"x" * 1_000_000
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.connect()
    connection.auto_open = 0  # type: ignore[assignment]  # fail, rather than connect once more
    for accept, status in (("application/json", 406), ("image/png", 415)) * 2:
        for message in (body, iter([body[:1000], body])):
            connection.request("POST", "/invocations", message, {"Accept": accept})
            answer = connection.getresponse()
            answer.read()
            assert answer.status == status
            assert answer.headers["Connection"] == "keep-alive"
    connection.close()


def test_a_connection_that_will_be_closed_is_said_to_be(server):
    answer = server.post(b"x" * (6 * 1024 * 1024 + 1))
    assert answer.status_code == 413
    assert answer.headers["Connection"] == "close"


def test_a_chunked_image_is_served(server, image_file):
    image = image_file(20, 30)

    answer = server.post(iter([image[:100], image[100:]]))

    assert pixels_of(answer.content).shape == (20, 30)


def say(port: int, *parts: bytes) -> bytes:
    """Sends raw bytes and hangs up when nothing more comes back."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        for part in parts:
            connection.sendall(part)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while data := connection.recv(65536):
            answer += data
        return answer


POST = b"POST /invocations HTTP/1.1\r\nHost: x\r\n"


TOO_LONG = 6 * 1024 * 1024 + 1


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: %d\r\n\r\nx" % TOO_LONG,
        b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % TOO_LONG,
        b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n%x\r\n" % (TOO_LONG - 1),
    ],
)
def test_a_body_that_will_be_too_long_is_refused_before_it_has_come(server, head):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(POST + head)
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"\r\nConnection: close\r\n" in answer


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET /ping HTTP/1.0\r\n\r\n", 200),
        (b"HEAD /ping HTTP/1.1\r\nHost: x\r\n\r\n", 200),
        (b"OPTIONS /invocations HTTP/1.1\r\nHost: x\r\n\r\n", 200),
        (b"GET /ping HTTP/1.1\r\n\r\n", 200),
        (b"GET /ping HTTP/1.1\r\nHost: ]:x/\r\n\r\n", None),
        (b"GET /%00%ff?%zz HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        (b"GET http://elsewhere/ping HTTP/1.1\r\nHost: x\r\n\r\n", None),
        (b"GET * HTTP/1.1\r\nHost: x\r\n\r\n", None),
        (b"nonsense\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"GET /ping HTTP/9.9\r\nHost: x\r\n\r\n", 400),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"GET /ping HTTP/1.1\r\nX: " + b"a" * 9000 + b"\r\n\r\n", 431),
        (b"GET /ping HTTP/1.1\r\n" + b"X: a\r\n" * 200 + b"\r\n", 431),
        (b"GET /ping HTTP/1.1\r\nbad header\r\n\r\n", 400),
        (POST + b"Accept: \xff\xfe;;,,q=\r\nContent-Length: 1\r\n\r\nx", 406),
        (POST + b"Content-Length: -1\r\n\r\n", 400),
        (POST + b"Content-Length: x\r\n\r\n", 400),
        (POST + b"Content-Length: 99999999999999999999\r\n\r\n", 413),
        (POST + b"Content-Length: 100\r\n\r\nshort", 400),
        (POST + b"\r\n", 400),
        (POST + b"Expect: 100-continue\r\nContent-Length: 1\r\n\r\nx", None),
        (POST + b"Expect: miracles\r\nContent-Length: 1\r\n\r\nx", 417),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 415),
        (POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n", 400),
        (POST + b"Transfer-Encoding: chunked\r\n\r\nfff\r\nabc", 400),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n0\r\n\r\n", 400),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n3;" + b"x" * 9000 + b"\r\n", 400),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n", 400),
        (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400),
        (POST + b"Transfer-Encoding: secret\r\n\r\n0\r\n\r\n", 400),
        (POST + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", 415),
        (b"", None),
    ],
)
def test_whatever_comes_over_the_wire(server, request_bytes, status):
    answer = say(server.port, request_bytes)

    final = answer.split(b"HTTP/1.1 100 Continue\r\n\r\n")[-1]
    if status is not None:
        assert final.split()[1] == str(status).encode()
    if final:
        assert 200 <= int(final.split()[1]) < 500
    assert b"Traceback" not in answer
    assert b"<html" not in answer
    assert server.ping() == 200
    assert "Traceback" not in server.log


def test_ping_answers_while_more_clients_come_than_are_served(server, image_file):
    """However long it takes: a `/ping` that had to wait its turn would see many masks go first."""
    image = image_file(240, 240)
    busy = threading.Event()

    def ask(_: int) -> requests.Response:
        busy.set()
        return server.post(image)

    def masks() -> int:
        return sum(answer.done() and answer.result().status_code == 200 for answer in answers)

    with ThreadPoolExecutor(40) as clients:
        answers = [clients.submit(ask, n) for n in range(40)]
        busy.wait()
        went_first = []
        while not all(answer.done() for answer in answers):
            before = masks()
            assert server.ping(seconds=60) == 200
            went_first.append(masks() - before)
    statuses = [answer.result().status_code for answer in answers]

    print(f"of {len(went_first)} pings, the slowest saw {max(went_first)} masks go first")
    assert max(went_first) < 8  # half of those that are held at a time
    assert set(statuses) <= {200, 503}
    assert statuses.count(200) >= 16
    for answer in answers:
        if answer.result().status_code == 503:
            assert int(answer.result().headers["Retry-After"]) > 0
            assert answer.result().text.count("\n") == 1
