"""The command `semseg`: tools around `train` and `serve`."""

import argparse
import logging
import signal
import sys
from collections.abc import Sequence

from semseg import __version__
from semseg.commands import (
    check,
    convert_masks,
    export,
    fetch_backbones,
    make_recordio,
    quantize,
)
from semseg.sagemaker.errors import AlgorithmError
from semseg.sagemaker.failure import classify
from semseg.sagemaker.logs import configure_command_logging

_logger = logging.getLogger(__name__)

_COMMANDS = (check, convert_masks, export, fetch_backbones, make_recordio, quantize)


def main(arguments: Sequence[str] | None = None) -> None:
    """The console script. Exit codes are `train`'s: 2 is for what the caller can mend."""
    options = _parser().parse_args(arguments)
    configure_command_logging()
    try:
        options.run(options)
    except KeyboardInterrupt:
        _logger.error("Interrupted.")
        sys.exit(128 + signal.SIGINT)
    except Exception as error:
        failure = classify(error)
        # A traceback shows where a defect is; for anything else the sentence is enough.
        traceback = error if isinstance(failure, AlgorithmError) else None
        _logger.error("%s", failure, exc_info=traceback)
        sys.exit(failure.exit_code)


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
