"""The files that a command will write: looked at before the work, which may take minutes."""

from collections.abc import Sequence
from pathlib import Path

from semseg.sagemaker.errors import CustomerError
from semseg.sagemaker.files import check_target


def check_outputs(files: Sequence[Path], replace: bool) -> None:
    """Makes sure that files can be written as `--output` and `--replace` say; all in one folder.

    Raises:
        CustomerError: nothing can be written there, or a file is there already.
    """
    for folder in {file.parent for file in files}:
        check_target(folder, "name another --output")
    if folders := [str(file) for file in files if file.is_dir()]:
        raise CustomerError(
            f"{' and '.join(folders)} would be a file, but is a folder: name another --output."
        )
    there = [str(file) for file in files if file.exists()]
    if there and not replace:
        raise CustomerError(
            f"{' and '.join(there)} would be replaced: say --replace, or name another --output."
        )
