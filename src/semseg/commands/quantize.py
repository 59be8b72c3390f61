"""`semseg quantize`: makes a trained model servable in int8."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from semseg import runtime
from semseg.commands import Commands
from semseg.commands.tables import table
from semseg.data.calibration import SAMPLE, evenly_spaced, whole_images
from semseg.data.folders import list_files
from semseg.data.hints import hints
from semseg.data.loading import EvaluationBatches
from semseg.data.pairs import Pair
from semseg.data.problems import UnsoundData
from semseg.data.scan import Part, scan
from semseg.networks.archive import add_file, artifact_folder, check_room_for_file
from semseg.networks.artifact import read_artifact
from semseg.networks.thresholds import THRESHOLDS, Report, text_of
from semseg.sagemaker.channel_settings import IMAGE_SUFFIXES
from semseg.sagemaker.channels import Channel
from semseg.sagemaker.errors import CustomerError

_DESCRIPTION = f"""\
Computes some images with a trained model, notes the range of each layer's values,
and puts {THRESHOLDS} into the artifact. `serve` then computes in int8 where
SEMSEG_PRECISION=int8 says so. The artifact's other files stay as they are.

ARTIFACT is the folder that has model_best.params in it, or model.tar.gz. IMAGES is
a folder of images such as the model will see, best those that it was trained on.
With their masks, float32 and int8 are compared.
"""


def add_to(commands: Commands) -> None:
    """Adds the command to the parsers of `semseg`."""
    parser = commands.add_parser(
        "quantize",
        help="calibrate a trained model for int8",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("artifact", type=Path, metavar="ARTIFACT")
    parser.add_argument("images", type=Path, metavar="IMAGES")
    parser.add_argument(
        "--sample",
        type=_count,
        default=SAMPLE,
        metavar="N",
        help=f"how many of the images to calibrate on, spread evenly (default: {SAMPLE})",
    )
    parser.add_argument(
        "--validation",
        type=Path,
        metavar="FOLDER",
        help="images to compare float32 and int8 on (with --masks; default: IMAGES)",
    )
    parser.add_argument(
        "--masks", type=Path, metavar="FOLDER", help="the masks of the images to compare on"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Writes the thresholds into the artifact and prints what int8 costs.

    Raises:
        CustomerError: no such artifact, or none that may be written to; no images, or some that are
            not sound; images to compare on without masks.
    """
    if options.validation and not options.masks:
        raise CustomerError(
            "--validation names images to compare float32 and int8 on, which takes their masks: "
            "give --masks too, or leave --validation out."
        )
    check_room_for_file(options.artifact)
    files = _image_files(options.images)
    with artifact_folder(options.artifact) as folder:
        artifact = read_artifact(folder)
        labelled = None
        if options.masks:
            images: Path = options.validation or options.images
            pairs = _sound_pairs(images, options.masks, artifact.architecture.num_classes)
            labelled = EvaluationBatches(pairs, batch_size=1, crop_size=0, workers=1)
        runtime.prepare()
        from semseg.training.int8 import calibrate, compare

        thresholds = calibrate(artifact, whole_images(evenly_spaced(files, options.sample)))
        # Comparing takes longer than this: what is there by then stays, whatever becomes of it.
        add_file(options.artifact, THRESHOLDS, text_of(thresholds).encode())
        print(f"{options.artifact}: calibrated on {thresholds.images} images", flush=True)
        if labelled is not None:
            report = compare(artifact, thresholds.ranges, labelled)
            content = text_of(thresholds.with_report(report)).encode()
            add_file(options.artifact, THRESHOLDS, content)
            print(_compared(report))


def _image_files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise CustomerError(f"There is no folder {folder}.")
    listing = list_files(_channel("images", folder), IMAGE_SUFFIXES)
    if listing.problems:
        raise UnsoundData(listing.problems)
    files = [path for name in sorted(listing.files) for path in listing.files[name]]
    if not files:
        raise CustomerError(f"There is no .jpg, .jpeg or .png file in {folder}.")
    return files


def _sound_pairs(images: Path, masks: Path, num_classes: int) -> Sequence[Pair]:
    for folder in (images, masks):
        if not folder.is_dir():
            raise CustomerError(f"There is no folder {folder}.")
    part = Part(_channel("images", images), _channel("masks", masks))
    report = scan([part], num_classes, progress=sys.stderr.isatty())
    if report.problems:
        raise UnsoundData(report.problems, hints(report))
    return report.splits[0].pairs


def _channel(name: str, folder: Path) -> Channel:
    return Channel(name, folder, None, "File")


def _compared(report: Report) -> str:
    rows = [
        (name, f"{scores.miou:.4f}", f"{scores.pixel_accuracy:.4f}")
        for name, scores in (("float32", report.float32), ("int8", report.int8))
    ]
    return (
        f"{table(('', 'mIOU', 'pixel accuracy'), rows, left=(0,))}\n"
        f"{report.images} images; {100 * report.same_class:.2f} % of the pixels have the same class"
    )


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)
