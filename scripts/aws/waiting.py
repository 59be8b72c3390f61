"""Looking at something on AWS until it has come to its end."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from time import sleep
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from scripts.aws.problems import Failed, sentence

Description = dict[str, Any]


def watch(
    describe: Callable[[], Description], status: str, unfinished: Collection[str], pause: float
) -> Iterator[Description]:
    """Descriptions, `pause` seconds apart, up to the first whose `status` is not `unfinished`."""
    while True:
        description = describe()
        yield description
        if description[status] not in unfinished:
            return
        sleep(pause)


def wait(
    describe: Callable[[], Description], status: str, unfinished: Collection[str], pause: float
) -> Description:
    """Prints every change of the status and returns the last description."""
    shown = None
    for description in watch(describe, status, unfinished, pause):
        if description[status] != shown:
            shown = description[status]
            print(shown, flush=True)
    return description


@contextmanager
def left_running(what: str) -> Iterator[None]:
    """What AWS does goes on when nobody looks any more, and whoever stops looking is told so."""
    try:
        yield
    except KeyboardInterrupt:
        print(f"\nNo longer looking: the {what}", flush=True)
        raise SystemExit(130) from None
    except (BotoCoreError, ClientError) as error:
        raise Failed(sentence(error), f"The {what}") from error
