"""The HTTP routes: thin, because decoding, inference and encoding have modules of their own."""

import logging
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from flask import Flask, Response, after_this_request, g, request
from werkzeug.exceptions import RequestEntityTooLarge

from semseg.serving.answer_in_parts import answer_in_parts
from semseg.serving.decoding import DecodingRoom, announced, decode
from semseg.serving.encoders import Encoder
from semseg.serving.engine import Engine
from semseg.serving.metrics import CONTENT_TYPE, Metrics, Request
from semseg.serving.negotiation import choose
from semseg.serving.patient_socket import PatientSocket
from semseg.serving.problems import answer_problems
from semseg.serving.refusal import Busy, Refusal
from semseg.serving.room import Reservation, Room
from semseg.serving.settings import MAX_PIXELS_VARIABLE, MIB, Settings

logger = logging.getLogger(__name__)

_BUSY = "The endpoint is at work on as many images as it holds: try again in a few seconds."
_MUCH_MEMORY = "That is for probabilities; a mask (image/png) needs less memory."
_BROKEN_OFF = "The request's body broke off or is not well-formed."


def create_app(
    engine: Engine,
    settings: Settings,
    metrics: Metrics | None = None,
    room: Room | None = None,
    num_classes: int = 254,
    most_values: int = sys.maxsize,
) -> Flask:
    """SageMaker's serving contract over HTTP.

    - `GET /ping`: 503 until the model is warm, then 200; empty body.
    - `GET /execution-parameters`: what batch transform asks for.
    - `POST /invocations`: an image in; a mask or probabilities out, as `Accept` says. While the
      model loads it waits: another worker may have told the platform that all is well already.
    - `POST /endpoints/<name>/invocations`: the same. It is the path that boto3's
      `sagemaker-runtime` client posts to, so that `endpoint_url="http://localhost:8080"` is all it
      takes to call a container as if it were an endpoint.
    - `GET /metrics`: figures for Prometheus, unless the settings switch them off.

    Whatever cannot be served is answered with one plain sentence.

    Args:
        engine: answers images; not necessarily ready yet.
        settings: limits, and what `/execution-parameters` tells.
        metrics: told of every request.
        room: memory for images, from decoding on, and answers that clients have yet to take;
            without a bound if None.
        num_classes: classes of the model, which tell how large an answer will be.
        most_values: probabilities of the largest answer that there is memory for.
    """
    metrics = metrics or Metrics()
    decoding = DecodingRoom(room or Room(sys.maxsize))
    app = Flask(__name__, static_folder=None)
    # One byte more than allowed: werkzeug cuts a chunked body at the limit without a word.
    app.config["MAX_CONTENT_LENGTH"] = settings.max_payload_bytes + 1
    app.url_map.merge_slashes = False
    places = threading.BoundedSemaphore(settings.in_flight)

    @app.get("/ping")
    def ping() -> Response:
        return Response(status=200 if engine.ready else 503, mimetype="text/plain")

    @app.get("/execution-parameters")
    def execution_parameters() -> dict[str, int | str]:
        return {
            "MaxConcurrentTransforms": settings.workers,
            "BatchStrategy": "MULTI_RECORD",
            "MaxPayloadInMB": settings.max_payload_bytes // MIB,
        }

    @app.post("/invocations")
    @app.post("/endpoints/<endpoint>/invocations")
    def invocations(endpoint: str | None = None) -> Response:
        encoder = choose(request.headers.get("Accept"))
        take_a_place()
        this: Request = g.request
        client: PatientSocket | None = request.environ.get("gunicorn.socket")
        with this.timed("decode"):
            body = read_body(settings.max_payload_bytes)
            file = announced(body, *limit(encoder))
            kept = file.pixels * (3 + (1 if encoder.wants == "mask" else 4 * num_classes))
            with decoding.place(max(kept, file.decoding_bytes), kept) as reservation:
                give_back_after_the_answer(reservation, client)
                image = decode(body)
            del body
        this.pixels = file.pixels
        answer = engine.submit(encoder.wants, image, (lambda: client.gone) if client else never)
        del image
        this.seconds |= {"queue": answer.queued, "forward": answer.forward}
        with this.timed("encode"):
            parts = encoder.encode(answer.values)
        if client:
            reservation.waits_for_a_client(client.cut_off)
        return answer_in_parts(parts, encoder.media_type, client)

    if settings.metrics:

        @app.get("/metrics")
        def tell_metrics() -> Response:
            return Response(metrics.text(), content_type=CONTENT_TYPE)

    def limit(encoder: Encoder) -> tuple[int, str]:
        """The pixels of the largest image, and what to do about a larger one."""
        limits = [(settings.max_pixels, f"{MAX_PIXELS_VARIABLE} moves it.")]
        if encoder.wants == "probabilities":
            limits += [
                (encoder.most_values // num_classes, encoder.way_out),
                (most_values // num_classes, _MUCH_MEMORY),
            ]
        return min(limits, key=lambda pixels_and_way_out: pixels_and_way_out[0])

    def take_a_place() -> None:
        """Bounds the requests in flight, so that HTTP threads are left for `/ping`.

        The place is given back when the answer has been handed over to be sent, whatever it is.
        """
        if not places.acquire(blocking=False):
            raise Busy(_BUSY)
        place = ExitStack()  # which can be closed twice
        place.callback(places.release)
        when_handed_over(place.close)

    def give_back_after_the_answer(reservation: Reservation, client: PatientSocket | None) -> None:
        """Bounds the memory of images, from decoding on, and of answers to the last byte."""
        if client:
            client.when_sent(reservation.release)
        else:
            when_handed_over(reservation.release)

    _tell_of_every_request(app, metrics)
    answer_problems(app, settings)
    return app


def when_handed_over(callback: Callable[[], None]) -> None:
    """Calls back when the current request's answer, whatever it is, is left to be sent."""

    @after_this_request
    def leave(response: Response) -> Response:
        response.call_on_close(callback)
        return response


def never() -> bool:
    """Where no socket tells whether the client is still there."""
    return False


def read_body(most: int) -> bytes:
    """The whole body of the current request, by length or in chunks.

    Raises:
        Refusal: 400 if it ends too early or its chunks are malformed.
        RequestEntityTooLarge: if it is longer than `most` bytes.
    """
    if (request.content_length or 0) > most:
        raise RequestEntityTooLarge
    try:
        body = request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise
    except Exception as problem:  # gunicorn's complaints about chunks, and werkzeug's of the end
        raise Refusal(400, _BROKEN_OFF) from problem
    if len(body) > most:
        raise RequestEntityTooLarge
    if request.content_length is not None and len(body) < request.content_length:
        raise Refusal(400, _BROKEN_OFF)
    return body


def _tell_of_every_request(app: Flask, metrics: Metrics) -> None:
    """One line at debug level, and the metrics, once the answer has been sent.

    The extension `told` is for what is answered before the app sees it.
    """

    def told(this: Request, status: int, sent: int | None) -> None:
        metrics.answered(this, status)
        logger.debug("%s", this.line(status, sent))

    app.extensions["told"] = told

    @app.before_request
    def begin() -> None:
        route = request.url_rule.endpoint if request.url_rule else "none"
        g.request = Request(request.method, request.path, route)

    @app.after_request
    def tell(response: Response) -> Response:
        status = response.status_code
        sent = response.content_length or response.calculate_content_length()
        response.call_on_close(partial(told, g.request, status, sent))
        return response
