"""One picture to look at: image, truth and prediction side by side, several rows."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from scripts.demo.shapes import CLASSES, PALETTE

Row = tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8], npt.NDArray[np.uint8]]

_CELL = 256  # pixels for the longest picture (128), twice enlarged
_GAP = 12
_BAND = 34  # pixels for a line of text
_COLUMNS = ("image", "truth", "prediction")
_PAPER, _INK = (250, 250, 250), (20, 20, 20)


def draw_sheet(title: str, rows: Sequence[Row]) -> Image.Image:
    """Draws rows of an image (H,W,3), its true mask (H,W) and the predicted one, with a legend.

    Nothing is smoothed: what the network got wrong can be seen pixel by pixel.
    """
    width = 3 * _CELL + 4 * _GAP
    height = 4 * _GAP + 3 * _BAND + len(rows) * (_CELL + _GAP)
    sheet = Image.new("RGB", (width, height), _PAPER)
    draw = ImageDraw.Draw(sheet)
    text = ImageFont.load_default(18)
    draw.text((_GAP, _GAP), title, fill=_INK, font=text)
    _draw_legend(draw, _GAP + _BAND, text)
    top = 2 * _GAP + 2 * _BAND
    for column, name in enumerate(_COLUMNS):
        draw.text((_left(column) + _CELL / 2, top), name, fill=_INK, font=text, anchor="ma")
    top += _BAND
    for image, truth, predicted in rows:
        pictures = (image, _coloured(truth), _coloured(predicted))
        for column, pixels in enumerate(pictures):
            picture = Image.fromarray(pixels).resize(
                (pixels.shape[1] * 2, pixels.shape[0] * 2), Image.Resampling.NEAREST
            )
            spare_x, spare_y = _CELL - picture.width, _CELL - picture.height
            sheet.paste(picture, (_left(column) + spare_x // 2, top + spare_y // 2))
        top += _CELL + _GAP
    return sheet


def _left(column: int) -> int:
    return _GAP + column * (_CELL + _GAP)


def _coloured(mask: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return np.asarray(PALETTE, np.uint8).take(mask, axis=0)


def _draw_legend(
    draw: ImageDraw.ImageDraw, top: int, text: ImageFont.ImageFont | ImageFont.FreeTypeFont
) -> None:
    left: float = _GAP
    for name, colour in zip(CLASSES, PALETTE, strict=True):
        draw.rectangle((left, top + 3, left + 16, top + 19), fill=colour)
        draw.text((left + 24, top), name, fill=_INK, font=text)
        left += 24 + draw.textlength(name, font=text) + 2 * _GAP
