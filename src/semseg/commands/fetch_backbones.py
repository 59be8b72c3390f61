"""`semseg fetch-backbones`: the ImageNet weights that `use_pretrained_model` starts from."""

import argparse
import os
from dataclasses import replace
from pathlib import Path

from semseg import runtime
from semseg.commands import Commands
from semseg.networks.backbones import STORE_NAMES, Sources, fetch, fetched
from semseg.sagemaker.errors import CustomerError
from semseg.sagemaker.files import check_target


def add_to(commands: Commands) -> None:
    """Adds the command to the parsers of `semseg`."""
    parser = commands.add_parser(
        "fetch-backbones",
        help="download the ImageNet weights of the backbones",
        description="Downloads the ImageNet weights that use_pretrained_model=True starts from.",
    )
    parser.add_argument(
        "backbones",
        nargs="*",
        type=_backbone,
        metavar="BACKBONE",
        help="resnet-50 or resnet-101 (default: both)",
    )
    parser.add_argument(
        "--folder",
        type=Path,
        help="where to put them (default: SEMSEG_BACKBONES, else the image's)",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Fills the folder of pretrained backbones from GluonCV's model store or a mirror.

    Raises:
        CustomerError: one or more can't be had; those that can are there. Or they can't be put into
            the folder; the store is not asked then.
    """
    runtime.prepare()
    sources = Sources.from_environment(os.environ)
    if options.folder:
        sources = replace(sources, folder=options.folder)
    wanted = options.backbones or [*STORE_NAMES]
    if not all(fetched(backbone, sources.folder) for backbone in wanted):
        check_target(sources.folder, "name another --folder")
    problems = []
    for backbone in wanted:
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


def _backbone(name: str) -> str:
    if name not in STORE_NAMES:
        raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(STORE_NAMES)}")
    return name
