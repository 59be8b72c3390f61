"""Many files at a time: Pillow decodes and numpy counts without holding Python's lock."""

import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Protocol, TypeVar

from tqdm import tqdm

from semseg.container import available_cpus

Result = TypeVar("Result")


class Run(Protocol):
    """Runs tasks and yields what they return, in order."""

    def __call__(self, tasks: Sequence[Callable[[], Result]]) -> Iterator[Result]: ...


@contextmanager
def threads(total: int, description: str, progress: bool) -> Iterator[Run]:
    """Something that runs tasks in threads.

    With `progress` there is a bar of `total` tasks, where standard error is a terminal.
    """
    # Somewhat more threads than CPUs: FastFile mode fetches each file from S3 as it is read.
    pool = ThreadPoolExecutor(available_cpus() + 4, "semseg-check")
    shown = progress and sys.stderr.isatty()
    with tqdm(total=total, desc=description, unit="image", disable=not shown) as bar:

        def run(tasks: Sequence[Callable[[], Result]]) -> Iterator[Result]:
            for result in pool.map(lambda task: task(), tasks):
                bar.update()
                yield result

        try:
            yield run
        finally:
            pool.shutdown(cancel_futures=True)
