"""`int8_thresholds.json`: what calibration has found, in a file beside the artifact's three.

Knows no MXNet. The file names the parameters that it belongs to by their SHA-256: with thresholds
of other weights a network computes nonsense, and does so without a word.
"""

import hashlib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, FiniteFloat, ValidationError

from semseg.networks.artifact import Artifact
from semseg.sagemaker.errors import CustomerError
from semseg.sagemaker.files import write_text
from semseg.sagemaker.json_files import read_json_object

THRESHOLDS = "int8_thresholds.json"
_COMMAND = "`semseg quantize ARTIFACT IMAGES`"


def _in_order(limits: tuple[float, float]) -> tuple[float, float]:
    if limits[0] > limits[1]:
        raise ValueError("the least value is above the greatest")
    return limits


Range = Annotated[tuple[FiniteFloat, FiniteFloat], AfterValidator(_in_order)]
Ranges = dict[str, Range]


class _Content(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Scores(_Content):
    """How a network did on labelled images; `miou` is the original's, over all classes."""

    miou: float
    pixel_accuracy: float


class Report(_Content):
    """What int8 costs: both networks' scores on the same labelled images.

    Attributes:
        images: how many there were.
        float32: scores of the network as it was trained.
        int8: scores of the quantized one.
        same_class: share of all pixels to which both give the same class.
    """

    images: int
    float32: Scores
    int8: Scores
    same_class: float


class Thresholds(_Content):
    """A calibration.

    Attributes:
        format: of the file.
        parameters_sha256: of the parameter file, in hexadecimal.
        images: how many images were looked at.
        report: None where there were no labelled images.
        ranges: the least and the greatest value seen of each tensor that becomes int8, by MXNet's
            name of it.
    """

    format: Literal[1] = 1
    parameters_sha256: str
    images: int
    report: Report | None = None
    ranges: Ranges

    def with_report(self, report: Report) -> "Thresholds":
        """The same with a report."""
        return self.model_copy(update={"report": report})


def fingerprint(parameters: Path) -> str:
    """What `Thresholds.parameters_sha256` is for a parameter file."""
    with parameters.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def text_of(thresholds: Thresholds) -> str:
    """The content of `int8_thresholds.json`."""
    return thresholds.model_dump_json(indent=1) + "\n"


def write_thresholds(folder: Path, thresholds: Thresholds) -> Path:
    """Writes `int8_thresholds.json`, all of it or nothing; returns its path."""
    path = folder / THRESHOLDS
    write_text(path, text_of(thresholds))
    return path


def read_thresholds(artifact: Artifact) -> Thresholds:
    """The calibration that lies beside an artifact's parameters.

    Raises:
        CustomerError: there is none, it is damaged, or it belongs to other parameters.
    """
    path = artifact.parameters.with_name(THRESHOLDS)
    if not path.exists():
        raise CustomerError(
            f"There is no {THRESHOLDS} beside {artifact.parameters}, so the model cannot be served "
            f"in int8. {_COMMAND} makes it, from the artifact and a folder of images such as the "
            "model will see; a training job with quantize=True makes it at its end."
        )
    content = read_json_object(path)
    try:
        found = Thresholds.model_validate(content)
    except ValidationError:
        raise CustomerError(
            f"{path} is not as `semseg quantize` writes it. Make it anew: {_COMMAND}."
        ) from None
    if found.parameters_sha256 != fingerprint(artifact.parameters):
        raise CustomerError(
            f"{path} was made for other parameters than those in {artifact.parameters}. Make it "
            f"anew: {_COMMAND}."
        )
    return found
