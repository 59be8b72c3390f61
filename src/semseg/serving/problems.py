"""All that can go wrong with a request, and the answer to it: a status and one plain sentence."""

import logging
from http import HTTPStatus

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from semseg.serving.engine import Closed, HungUp
from semseg.serving.refusal import Busy, Refusal
from semseg.serving.settings import Settings

logger = logging.getLogger(__name__)

_GONE = "The client has hung up."
_CLOSED = "The server stops before the turn of this image comes: try again in a few seconds."
_OUR_FAULT = "The server failed; its log says why."
_CLIENT_CLOSED_REQUEST = 499  # nginx's own status for it
_ROUTES = ("GET /ping", "GET /execution-parameters", "POST /invocations")
_METRICS_ROUTE = "GET /metrics"


def answer_problems(app: Flask, settings: Settings) -> None:
    """Makes an app answer whatever goes wrong with a request.

    Args:
        app: gets the handlers.
        settings: the limits that the sentences name.
    """
    *routes, last = (*_ROUTES, _METRICS_ROUTE) if settings.metrics else _ROUTES
    there_are = f"there are {', '.join(routes)} and {last}."

    @app.errorhandler(Refusal)
    def refused(refusal: Refusal) -> Response:
        response = _sentence(refusal.status, refusal.sentence)
        if refusal.retry_after is not None:
            response.headers["Retry-After"] = str(refusal.retry_after)
        return response

    @app.errorhandler(Closed)
    def no_time_left(_problem: Closed) -> Response:
        return refused(Busy(_CLOSED))

    @app.errorhandler(HungUp)
    def nobody_is_there(_problem: HungUp) -> Response:
        return _sentence(_CLIENT_CLOSED_REQUEST, _GONE)  # for the metrics and the log

    @app.errorhandler(HTTPException)
    def wrong_request(problem: HTTPException) -> Response:
        status = problem.code or 500
        sentences = {
            HTTPStatus.NOT_FOUND: f"There is nothing at this path; {there_are}",
            HTTPStatus.METHOD_NOT_ALLOWED: f"This path has another method; {there_are}",
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE: (
                "The request's body is too long; this endpoint takes at most "
                f"{settings.max_payload_bytes} bytes (SAGEMAKER_MAX_PAYLOAD_IN_MB)."
            ),
        }
        sentence = sentences.get(HTTPStatus(status), "The request is not one this server knows.")
        response = _sentence(status, sentence)
        response.headers.extend(
            (name, value) for name, value in problem.get_headers() if name == "Allow"
        )
        return response

    @app.errorhandler(Exception)
    def our_fault(problem: Exception) -> Response:
        logger.error("An answer failed", exc_info=problem)
        return _sentence(500, _OUR_FAULT)


def _sentence(status: int, sentence: str) -> Response:
    return Response(f"{sentence}\n", status=status, mimetype="text/plain")
