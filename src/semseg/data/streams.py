"""A channel in Pipe mode: pairs of image and mask, a FIFO of them for each epoch.

What comes through a FIFO cannot be looked at before it is used. So everything that is checked
beforehand where the data are files is checked here with each pair, and the first problem ends the
job, telling what came before it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from PIL import Image

from semseg.data.ahead import ReadAhead
from semseg.data.augmentation import IGNORE
from semseg.data.decoding import UnusableSource, decode_pair
from semseg.data.images import OutOfMemory
from semseg.data.inspection import Inspector
from semseg.data.label_maps import DEFAULT, LabelMap
from semseg.data.mixups import is_mixed_up
from semseg.data.pairs import Pair
from semseg.data.pipes import PipeTimeout, open_fifo
from semseg.data.problems import Kind, Problem, UnsoundData
from semseg.data.record_files import odd
from semseg.data.sources import StreamRecord, place
from semseg.sagemaker.channels import Channel
from semseg.sagemaker.errors import PlatformError
from semseg.sagemaker.recordio import BrokenRecord, read_records

Check = Callable[[], None]

PIPE_SECONDS = 300.0
_BYTES_AHEAD = 1 << 25
_NO_RECORD = (
    "brought no record: are there lines in the manifest, and does AttributeNames name what stands"
    " in them?"
)
_UNWRAPPED = " Files that are no RecordIO themselves need RecordWrapperType RecordIO."


@dataclass(frozen=True)
class Stream:
    """A channel whose FIFOs bring image and mask by turns.

    `seconds` is how long one waits for a FIFO, or for the next byte of it.
    """

    channel: Channel
    num_classes: int
    label_map: LabelMap = DEFAULT
    seconds: float = PIPE_SECONDS

    def name(self, fifo: int) -> str:
        """What messages call a FIFO, such as `train_0`."""
        return self.channel.fifo(fifo).name

    @contextmanager
    def pairs(self, fifo: int, check: Check = lambda: None) -> Iterator[Iterator[Pair]]:
        """The pairs that a FIFO brings, counted from 0; it is closed at the end of the context.

        `check` is called every now and then while nothing comes, and may raise.

        The iterator raises UnsoundData where the stream is broken, and PlatformError where nothing
        comes. What is in the records is not looked at.
        """

        def read(is_over: Callable[[], bool]) -> Iterator[Pair]:
            return self._read(fifo, is_over)

        with ReadAhead(read, size_of, _BYTES_AHEAD, check) as pairs:
            yield pairs

    def decode(self, pair: Pair, fifo: int) -> tuple[Image.Image, Image.Image]:
        """As `decode_pair`, for a pair that the FIFO of that number brought.

        Raises UnsoundData for whatever is wrong with files too: see `Inspector`.
        """
        try:
            if not is_mixed_up(pair, self.num_classes):
                image, mask = decode_pair(pair)
                if not any(mask.histogram()[self.num_classes : IGNORE]):
                    return image, mask
        except UnusableSource as error:
            if isinstance(error.__cause__, OutOfMemory):
                raise PlatformError(f"{error.source}: {error}") from error
        inspector = Inspector(self.channel, self.channel, self.num_classes, self.label_map)
        problems = inspector.pair(pair).problems
        both = (one for one in (pair.image, pair.mask) if isinstance(one, StreamRecord))
        numbers = {str(record): record.number for record in both}
        raise _refusal(fifo, numbers[problems[0].where], problems)

    def _read(self, fifo: int, is_over: Callable[[], bool]) -> Iterator[Pair]:
        path = self.channel.fifo(fifo)
        records: list[StreamRecord] = []
        count = 0
        try:
            with open_fifo(path, self.seconds, is_over) as stream:
                for record in read_records(stream):
                    count += 1
                    records.append(StreamRecord(path.name, record))
                    if len(records) == 2:
                        image, mask = records
                        yield Pair(f"{path.name}/{image.number}", image, mask, self.label_map)
                        records = []
        except BrokenRecord as error:
            text = f"{error}.{_UNWRAPPED * (error.number == 0)}"
            where = f"{path.name}, {place(error)}"
            problem = Problem(Kind.BROKEN_RECORD, where, text)
            raise _refusal(fifo, error.number, [problem]) from None
        except PipeTimeout as error:
            raise PlatformError(
                f"SageMaker's pipe of the channel {self.channel.name} timed out: {error}."
                f" Before that came {_amount(fifo, count)}."
            ) from None
        if records:
            problem = Problem(Kind.ODD_RECORDS, str(records[0]), odd(count))
            raise _refusal(fifo, records[0].number, [problem])
        if not count:
            raise _refusal(fifo, 0, [Problem(Kind.EMPTY_CHANNEL, path.name, _NO_RECORD)])


def size_of(pair: Pair) -> int:
    """The bytes that a pair of a stream takes."""
    return len(pair.image.read_bytes()) + len(pair.mask.read_bytes())


def _refusal(fifo: int, records: int, problems: Sequence[Problem]) -> UnsoundData:
    """What is wrong with the FIFO of that number, and that so many of its records were used."""
    hint = (
        f"A stream cannot be checked before it is used. Before this came {_amount(fifo, records)}."
    )
    return UnsoundData(problems, [hint])


def _amount(epochs: int, records: int) -> str:
    """`2 epochs and 14 records of the next`, `14 records`, `nothing`."""
    whole = f"{epochs} whole epoch{'s' * (epochs > 1)}"
    part = f"{records} record{'s' * (records != 1)}"
    if not epochs:
        return part if records else "nothing"
    return f"{whole} and {part} of the next" if records else whole
