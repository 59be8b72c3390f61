"""`semseg`: what is not SageMaker's."""

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from semseg import __version__, runtime
from semseg.networks.backbones import STORE_NAMES, Sources, fetch
from semseg.sagemaker.errors import CustomerError, SemsegError
from semseg.sagemaker.logs import configure_logging

_logger = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> None:
    """The console script. Exit codes as `train`'s: 0 done, 2 something the caller can fix."""
    options = _parser().parse_args(arguments)
    configure_logging()
    try:
        options.run(options)
    except SemsegError as error:
        _logger.error("%s: %s", error.label, error)
        sys.exit(error.exit_code)


def fetch_backbones(options: argparse.Namespace) -> None:
    """Fills the folder of pretrained backbones from GluonCV's model store or a mirror.

    Raises:
        CustomerError: one or more can't be had; those that can are there.
    """
    runtime.prepare()
    sources = Sources.from_environment(os.environ)
    if options.folder:
        sources = replace(sources, folder=options.folder)
    problems = []
    for backbone in options.backbones or STORE_NAMES:
        try:
            path = fetch(backbone, sources.folder, sources.mirror)
        except Exception as error:  # whatever a network, a proxy, a zip file or a disk can do
            problems.append(f"{backbone}: {type(error).__name__}: {error}")
        else:
            print(path)
    if problems:
        raise CustomerError(
            "These backbones could not be fetched; MXNET_GLUON_REPO names a mirror of GluonCV's "
            "model store.\n" + "\n".join(problems)
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="semseg",
        description="Tools around the training and serving containers (`train` and `serve`).",
    )
    parser.add_argument("--version", action="version", version=f"semseg {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    fetching = commands.add_parser(
        "fetch-backbones",
        help="download the ImageNet weights of the backbones",
        description="Downloads the ImageNet weights that use_pretrained_model=True starts from.",
    )
    fetching.add_argument(
        "backbones",
        nargs="*",
        type=_backbone,
        metavar="BACKBONE",
        help="resnet-50 or resnet-101 (default: both)",
    )
    fetching.add_argument(
        "--folder",
        type=Path,
        help="where to put them (default: SEMSEG_BACKBONES, else the image's)",
    )
    fetching.set_defaults(run=fetch_backbones)
    return parser


def _backbone(name: str) -> str:
    if name not in STORE_NAMES:
        raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(STORE_NAMES)}")
    return name


if __name__ == "__main__":
    main()
