"""The log of a job or an endpoint in CloudWatch, as it grows."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from scripts.aws.problems import is_absent

_LAST_LINES = 15


@dataclass(frozen=True)
class Line:
    """One line: the host that wrote it (`algo-1`) and the second, since 1970, that it did."""

    host: str
    second: float
    text: str


class LogTail:
    """Gives the lines that have come since it was last asked.

    A group or stream that is not there yet has no lines yet. Streams are named
    `<job>/<host>-<number>`, those of an endpoint `<variant>/<instance>`.
    """

    def __init__(self, logs: Any, group: str, prefix: str = "") -> None:
        self._logs = logs
        self._group = group
        self._prefix = {"logStreamNamePrefix": prefix} if prefix else {}
        self._tokens: dict[str, str] = {}

    def new_lines(self) -> Iterator[Line]:
        """Lines in each stream's order."""
        for stream in self._streams():
            yield from self._new_lines_of(stream)

    def _streams(self) -> list[str]:
        pages = self._logs.get_paginator("describe_log_streams").paginate(
            logGroupName=self._group, **self._prefix
        )
        try:
            return [stream["logStreamName"] for page in pages for stream in page["logStreams"]]
        except ClientError as error:
            if is_absent(error):
                return []
            raise

    def _new_lines_of(self, stream: str) -> Iterator[Line]:
        host = stream.rpartition("/")[2].rpartition("-")[0]
        while True:
            token = self._tokens.get(stream)
            answer = self._logs.get_log_events(
                logGroupName=self._group,
                logStreamName=stream,
                startFromHead=True,
                **({"nextToken": token} if token else {}),
            )
            for event in answer["events"]:
                yield Line(host, event["timestamp"] / 1000, event["message"].rstrip("\n"))
            self._tokens[stream] = answer["nextForwardToken"]
            # CloudWatch repeats the token once the end is reached; a page may be empty before it.
            if answer["nextForwardToken"] == token:
                return


def print_end(logs: Any, group: str, prefix: str = "") -> None:
    """Prints the last lines of a log, where the reason of a failure tends to stand."""
    for line in list(LogTail(logs, group, prefix).new_lines())[-_LAST_LINES:]:
        print(line.text)
