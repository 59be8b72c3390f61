"""What the environment says about serving, read once into one object."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from semseg.sagemaker.errors import CustomerError
from semseg.serving.memory import MOST_PIXELS

MIB = 1024 * 1024

MAX_PIXELS_VARIABLE = "SEMSEG_MAX_PIXELS"
# prometheus-client's own name for it, and the one it had before and still reads.
METRICS_FOLDER_VARIABLES = ("PROMETHEUS_MULTIPROC_DIR", "prometheus_multiproc_dir")


@dataclass(frozen=True)
class _Variable:
    """A whole number from 1 to `highest` in the environment; absent or empty means `default`."""

    name: str
    default: int
    highest: int

    def read(self, environ: Mapping[str, str], problems: list[str]) -> int:
        text = environ.get(self.name, "").strip()
        if not text:
            return self.default
        if text.isascii() and text.isdigit() and 1 <= int(text) <= self.highest:
            return int(text)
        problems.append(f"{self.name} is {text!r}: give a whole number from 1 to {self.highest}.")
        return self.default


@dataclass(frozen=True)
class _Choice:
    """One of some words in the environment; absent or empty means the first of them."""

    name: str
    words: tuple[str, ...]

    def read(self, environ: Mapping[str, str], problems: list[str]) -> str:
        text = environ.get(self.name, "").strip()
        if not text or text.lower() in self.words:
            return text.lower() or self.words[0]
        problems.append(f"{self.name} is {text!r}: give one of {', '.join(self.words)}.")
        return self.words[0]


# Names of the first four as in AWS's open serving toolkits (which start a worker for each CPU; why
# one is the default here, README, "Latency or throughput"); 6 MiB is the platform's
# own limit for a real-time request. The others are this project's, but for
# the level of the log, which SageMaker's SDK sets as a number (`container_log_level`).
_PORT = _Variable("SAGEMAKER_BIND_TO_PORT", 8080, 65535)
_WORKERS = _Variable("SAGEMAKER_MODEL_SERVER_WORKERS", 1, 256)
_TIMEOUT = _Variable("SAGEMAKER_MODEL_SERVER_TIMEOUT", 60, 86_400)
_MAX_PAYLOAD_MB = _Variable("SAGEMAKER_MAX_PAYLOAD_IN_MB", 6, 1024)
_MAX_PIXELS = _Variable(MAX_PIXELS_VARIABLE, MOST_PIXELS, 1_000_000_000)
_PRECISION = _Choice("SEMSEG_PRECISION", ("float32", "int8", "float16"))
_PRECISION_CHECK = _Choice("SEMSEG_PRECISION_CHECK", ("on", "off"))
_METRICS = _Choice("SEMSEG_METRICS", ("on", "off"))
_NAMED = {"info": 20, "debug": 10, "warning": 30, "error": 40, "critical": 50}
_LEVELS = {**_NAMED, **{str(level): level for level in _NAMED.values()}}
_LOG_LEVEL = _Choice("SAGEMAKER_CONTAINER_LOG_LEVEL", tuple(_LEVELS))


@dataclass(frozen=True)
class Settings:
    """How to serve.

    Attributes:
        port: TCP port.
        workers: processes, each with the model in memory and one inference thread.
        timeout: seconds after which a worker that shows no sign of life is replaced. A long
            forward is no such case: HTTP threads go on beside it.
        max_payload_bytes: the longest request body.
        max_pixels: height times width of the largest image.
        precision: what the network computes in: `float32`, `int8` on CPUs, `float16` on GPUs.
        precision_check: whether int8 and float16 are refused where float32 is faster.
        threads: HTTP threads of a worker.
        in_flight: requests for inference that a worker holds at a time, from the last byte of the
            body to the first byte of the answer. Fewer than `threads`, so that `/ping` finds one.
        metrics: whether `/metrics` is there.
        metrics_folder: where the workers keep its figures; None for the memory of one process, and
            where there are no metrics.
        log_level: what is told; one line for each request from `logging.DEBUG` on.
    """

    port: int = _PORT.default
    workers: int = _WORKERS.default
    timeout: int = _TIMEOUT.default
    max_payload_bytes: int = _MAX_PAYLOAD_MB.default * MIB
    max_pixels: int = _MAX_PIXELS.default
    precision: str = _PRECISION.words[0]
    precision_check: bool = True
    threads: int = 32
    in_flight: int = 16
    metrics: bool = True
    metrics_folder: Path | None = None
    log_level: int = logging.INFO

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Settings":
        """Reads the variables above.

        Raises:
            CustomerError: with one sentence for every malformed variable.
        """
        problems: list[str] = []
        folder = environ.get(METRICS_FOLDER_VARIABLES[0])
        metrics = _METRICS.read(environ, problems) == "on"
        settings = cls(
            port=_PORT.read(environ, problems),
            workers=_WORKERS.read(environ, problems),
            timeout=_TIMEOUT.read(environ, problems),
            max_payload_bytes=_MAX_PAYLOAD_MB.read(environ, problems) * MIB,
            max_pixels=_MAX_PIXELS.read(environ, problems),
            metrics=metrics,
            metrics_folder=Path(folder) if folder and metrics else None,
            log_level=_LEVELS[_LOG_LEVEL.read(environ, problems)],
            precision=_PRECISION.read(environ, problems),
            precision_check=_PRECISION_CHECK.read(environ, problems) == "on",
        )
        if problems:
            raise CustomerError(" ".join(problems))
        return settings
