"""The least HTTP server there is around an engine, for those that bring none.

    python -m scripts.benchmarks.serving.plain_server ENGINE FOLDER HEIGHT WIDTH

Speaks as much of SageMaker's contract as the benchmark asks: GET /ping, POST /invocations with a
JPEG in and a PNG mask out, on SAGEMAKER_BIND_TO_PORT. Decoding and encoding are the HTTP threads',
and one thread has the model, as MXNet demands.
"""

import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from scripts.benchmarks.serving.engines import ENGINES
from scripts.benchmarks.serving.pictures import decode, encode


def main() -> None:
    """Loads the engine and serves until SIGTERM."""
    engine, folder = sys.argv[1], Path(sys.argv[2])
    height, width = int(sys.argv[3]), int(sys.argv[4])
    thread = ThreadPoolExecutor(1)
    mask = thread.submit(ENGINES[engine], folder, height, width).result()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.answer(b"")

        def do_POST(self) -> None:
            image = decode(self.rfile.read(int(self.headers["Content-Length"])))
            self.answer(encode(thread.submit(mask, image).result()))

        def answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    port = int(os.environ["SAGEMAKER_BIND_TO_PORT"])
    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    main()
