"""The image on AWS, from the push to the mask.

    python -m scripts.aws SUBCOMMAND --help

Exit codes: 0 done; 2 something to put right, and nothing was started; 1 AWS refused, or a job there
failed; 130 interrupted.
"""

import argparse
import sys
from collections.abc import Sequence

from botocore.exceptions import BotoCoreError, ClientError

from scripts.aws.ecr import add_push
from scripts.aws.endpoint import add_delete, add_deploy
from scripts.aws.invoke import add_invoke
from scripts.aws.problems import Failed, Refused, sentence
from scripts.aws.training import add_follow, add_train
from scripts.aws.transform import add_transform
from scripts.aws.tuning import add_tune

_SUBCOMMANDS = (
    add_push,
    add_train,
    add_follow,
    add_tune,
    add_deploy,
    add_invoke,
    add_transform,
    add_delete,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a subcommand; returns the exit code."""
    chosen = _parser().parse_args(arguments)
    try:
        chosen.run(chosen)
    except (Refused, Failed) as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except (BotoCoreError, ClientError) as error:
        print(sentence(error), file=sys.stderr)
        return 1 if isinstance(error, ClientError) else 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m scripts.aws",
        description="The image on AWS, from the push to the mask. --dry-run prints what would be "
        "asked of AWS and asks nothing.",
    )
    commands = parser.add_subparsers(title="subcommands", required=True, metavar="SUBCOMMAND")
    for add in _SUBCOMMANDS:
        add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
