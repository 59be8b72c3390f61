"""`semseg`: what is not SageMaker's."""

import argparse
import logging
import sys
from collections.abc import Sequence

from semseg import __version__
from semseg.commands import fetch_backbones
from semseg.sagemaker.errors import SemsegError
from semseg.sagemaker.logs import configure_logging

_logger = logging.getLogger(__name__)

_COMMANDS = (fetch_backbones,)


def main(arguments: Sequence[str] | None = None) -> None:
    """The console script. Exit codes as `train`'s: 0 done, 2 something the caller can fix."""
    options = _parser().parse_args(arguments)
    configure_logging()
    try:
        options.run(options)
    except SemsegError as error:
        _logger.error("%s: %s", error.label, error)
        sys.exit(error.exit_code)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="semseg",
        description="Tools around the training and serving containers (`train` and `serve`).",
    )
    parser.add_argument("--version", action="version", version=f"semseg {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in _COMMANDS:
        command.add_to(commands)
    return parser


if __name__ == "__main__":
    main()
