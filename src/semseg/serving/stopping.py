"""How a worker stops: those whose turn will not come are told so in time."""

import time
from typing import Any

from semseg.serving.http_worker import HttpWorker
from semseg.serving.worker import engine_of

# What is left of gunicorn's graceful timeout for answers, once nobody gets a turn any more.
SECONDS_FOR_ANSWERS = 3.0


class StoppingHttpWorker(HttpWorker):
    """Answers what was accepted before it stops, as far as its time suffices.

    Shortly before that is over, images that still wait for the network are refused, so that their
    clients get an answer and not the end of their connection.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._last_turn = float("inf")

    def _cap_keepalive(self, deadline: float) -> None:
        # gunicorn calls it once, when it begins to stop.
        super()._cap_keepalive(deadline)
        self._last_turn = time.monotonic() + self.cfg.graceful_timeout - SECONDS_FOR_ANSWERS

    def murder_pending(self) -> None:
        super().murder_pending()
        if time.monotonic() > self._last_turn and (engine := engine_of(self)):
            engine.close()
