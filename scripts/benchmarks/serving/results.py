"""What was measured of one contender, one network and one size: a JSON file, joined piece by piece.

So a long run can be cut into short ones, and the table is of all that the folder has.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from semseg.sagemaker.files import write_text


class Result(BaseModel):
    """One cell of the table. What was not measured is None.

    Attributes:
        contender: its name.
        network: `fcn`, `psp` or `deeplab`.
        height: of the image.
        width: of the image.
        machine: its CPUs.
        measured: UTC date and time of the newest piece.
        busy: the share of the CPUs that others had right before or after it; of several pieces, the
            greatest.
        forward: seconds of each image, from pixels to mask, in the engine's own process.
        forward_cpus: how many CPUs that kept busy; fewer than there are where others took them.
        forward_bytes: peak memory of that process.
        http: seconds of each request of one client.
        http_bytes: peak memory of the server with many clients, or of one where it had no more.
        images_per_second: with many clients.
        seconds_to_ping: from the server's start to its first 200.
        ping: seconds of each `/ping` while the server is full.
    """

    model_config = ConfigDict(extra="forbid")

    contender: str
    network: str
    height: int
    width: int
    machine: str = ""
    measured: str = ""
    busy: float | None = None
    forward: list[float] | None = None
    forward_cpus: float | None = None
    forward_bytes: int | None = None
    http: list[float] | None = None
    http_bytes: int | None = None
    images_per_second: float | None = None
    seconds_to_ping: float | None = None
    ping: list[float] | None = None

    @property
    def file_name(self) -> str:
        """The name of its file."""
        contender = re.sub(r"\W+", "-", self.contender.lower())
        return f"{self.network}-{self.height}x{self.width}-{contender}.json"


def read(folder: Path, blank: Result) -> Result:
    """What is there already of a contender, network and size; else the blank."""
    file = folder / blank.file_name
    return Result.model_validate_json(file.read_text()) if file.exists() else blank


def read_all(folder: Path) -> Sequence[Result]:
    """All that the folder has."""
    return [Result.model_validate_json(file.read_text()) for file in sorted(folder.glob("*.json"))]


def write(folder: Path, result: Result) -> None:
    """Keeps a result."""
    write_text(
        folder / result.file_name, result.model_dump_json(indent=1, exclude_none=True) + "\n"
    )
