"""The channel `model`: an earlier job's model that training goes on from.

AWS calls it incremental training: SageMaker puts the `model.tar.gz` of another job into the
channel, still packed, and algorithm, backbone, crop size and classes have to be that job's. It is
looked at here without MXNet, which loads it later.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path

from semseg.networks.archive import artifact_folder
from semseg.networks.artifact import BEST, LAST, Artifact, read_artifact
from semseg.sagemaker.channels import Channel
from semseg.sagemaker.errors import CustomerError
from semseg.sagemaker.hyperparameter_schema import CROP_MULTIPLE
from semseg.sagemaker.hyperparameters import Hyperparameters
from semseg.sagemaker.model_archive import SUFFIXES

ARCHIVE = "model.tar.gz"
_NAMED = 10


@dataclass(frozen=True)
class SeedModel:
    """A whole model of the job's own kind.

    Attributes:
        place: `model.tar.gz`, or the folder of the unpacked files.
        identity: of its parameters; another model has another one.
    """

    place: Path
    identity: str

    @contextmanager
    def parameters(self) -> Iterator[Path]:
        """The parameter file, which may be gone when the block ends."""
        with _artifact(self.place) as artifact:
            yield artifact.parameters


def find_seed_model(channel: Channel | None, job: Hyperparameters) -> SeedModel | None:
    """The model in the channel; None where the job has no such channel.

    Raises:
        CustomerError: none or several in it, one that is damaged, or all in which it differs from
            the job.
        PlatformError: there is no room to unpack it.
    """
    if channel is None:
        return None
    place = _find(channel.path)
    with _artifact(place) as artifact:
        _compare(place, artifact, job)
        with artifact.parameters.open("rb") as file:
            return SeedModel(place, file_digest(file, "sha256").hexdigest()[:16])


def facts(seed_model: SeedModel | None) -> dict[str, str]:
    """What a job must share with another one to go on from its checkpoints."""
    return {"seed model": seed_model.identity if seed_model else "none"}


def _find(folder: Path) -> Path:
    """The one model below a folder: SageMaker copies all that an S3 prefix matches."""
    named, archives, all_files = [], [], []
    for where, _, names in os.walk(folder):
        here = Path(where)
        all_files += [(here / name).relative_to(folder).as_posix() for name in sorted(names)]
        if BEST in names or LAST in names:
            named.append(here)
        archives += [here / name for name in names if name.endswith(SUFFIXES)]
    named += [archive for archive in archives if archive.name == ARCHIVE]
    # Beside the model, in a job's output, lies output.tar.gz.
    found = sorted(named or archives)
    if not found:
        raise CustomerError(
            f"The channel model holds no model: there is neither {ARCHIVE} nor {BEST} in {folder}. "
            f"{_listing(all_files)}"
        )
    if len(found) > 1:
        places = ", ".join(map(str, found[:_NAMED]))
        raise CustomerError(
            f"The channel model holds {len(found)} models, and one is wanted: {places}."
        )
    return found[0]


def _listing(names: list[str]) -> str:
    more = ", ..." if len(names) > _NAMED else ""
    return f"It holds {', '.join(names[:_NAMED])}{more}." if names else "It is empty."


@contextmanager
def _artifact(place: Path) -> Iterator[Artifact]:
    with artifact_folder(place) as folder:
        yield read_artifact(folder)


def _compare(place: Path, artifact: Artifact, job: Hyperparameters) -> None:
    found = artifact.architecture
    pairs = {
        "algorithm": (found.algorithm, job.algorithm),
        "backbone": (found.backbone, job.backbone),
        "num_classes": (str(found.num_classes), str(job.num_classes)),
    }
    crop_size = artifact.configuration.get("crop_size", "").strip()
    if crop_size:
        pairs["crop_size"] = (_rounded(crop_size), str(job.crop_size))
    differing = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
    if differing:
        lines = [
            f"{name}: {theirs} there, {ours} here" for name, (theirs, ours) in differing.items()
        ]
        raise CustomerError(
            f"The seed model {place} is another kind of model than the job's: it differs in "
            f"{', '.join(differing)}. Give the job the values that the model has, or leave out the "
            "channel model.\n" + "\n".join(lines)
        )


def _rounded(crop_size: str) -> str:
    """As a job has it, whose hyperparameter is rounded up."""
    if not crop_size.isdecimal():
        return repr(crop_size)
    return str(-(-int(crop_size) // CROP_MULTIPLE) * CROP_MULTIPLE)
