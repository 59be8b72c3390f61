"""`semseg export`: a trained model in the format of another program."""

import argparse
import re
from pathlib import Path

from semseg import runtime
from semseg.commands import Commands
from semseg.commands.targets import check_outputs
from semseg.networks.archive import artifact_folder
from semseg.networks.artifact import read_artifact
from semseg.sagemaker.errors import CustomerError

_DESCRIPTION = """\
Writes a trained model for other programs, complete from the pixels to the classes.

  symbol  model-symbol.json and model-0000.params, for MXNet's Module and
          SymbolBlock and for compilers that read these; images of any size
  onnx    model.onnx, for images of one size; checked against MXNet where
          ONNX Runtime is installed

The input, `data`, is RGB from 0 to 255, float32 (N, 3, H, W); the normalization is
part of the model. The output is `probabilities`, float32 (N, C, H, W), or `mask`,
uint8 (N, H, W).
"""
ONNX_FILE = "model.onnx"
SYMBOL_FILES = ("model-symbol.json", "model-0000.params")
_LARGEST_SIDE = 16384


def add_to(commands: Commands) -> None:
    """Adds the command to the parsers of `semseg`."""
    parser = commands.add_parser(
        "export",
        help="write a model as MXNet symbol or ONNX",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "artifact", type=Path, metavar="ARTIFACT", help="the model's folder, or model.tar.gz"
    )
    parser.add_argument("--format", required=True, choices=("symbol", "onnx"))
    parser.add_argument(
        "--size",
        type=_size,
        metavar="HxW",
        help="height and width of the images; needed for onnx; a symbol is for any without it",
    )
    parser.add_argument(
        "--result",
        choices=("probabilities", "mask"),
        default="probabilities",
        help="what comes out (default: probabilities)",
    )
    parser.add_argument(
        "--output", type=Path, default=Path(), metavar="FOLDER", help="where to put it (default: .)"
    )
    parser.add_argument("--replace", action="store_true", help="replace files that are there")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Writes the files and prints what they are.

    Raises:
        CustomerError: no such model, no size, no folder to write to, or files that are there
            already.
    """
    if options.format == "onnx" and options.size is None:
        raise CustomerError("An ONNX file is for images of one size: say --size HEIGHTxWIDTH.")
    folder: Path = options.output
    names = (ONNX_FILE,) if options.format == "onnx" else SYMBOL_FILES
    check_outputs([folder / name for name in names], options.replace)
    with artifact_folder(options.artifact) as unpacked:
        artifact = read_artifact(unpacked)
        runtime.prepare()
        from semseg.inference.exporting.graph import export_graph

        graph = export_graph(artifact, options.result)
    if options.format == "onnx":
        from semseg.inference.exporting.onnx_file import write_onnx

        print(write_onnx(folder / ONNX_FILE, graph, *options.size))
    else:
        from semseg.inference.exporting.symbol_files import write_symbol

        symbol, parameters = (folder / name for name in SYMBOL_FILES)
        print(write_symbol(symbol, parameters, graph, options.size))


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text)
    height, width = (int(side) for side in match.groups()) if match else (0, 0)
    if not (1 <= height <= _LARGEST_SIDE and 1 <= width <= _LARGEST_SIDE):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no height and width in pixels, such as 480x640"
        )
    return height, width
