"""How Pillow is set up here: what it opens, and what it passes over.

Its settings are of the whole process, so they are made once, where this is imported, and not
around each read.
"""

import warnings

from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

# A multi-picture file (MPO) opens as the JPEG it begins with. Formats that hand the file to another
# program (EPS to Ghostscript) are left out for good. Naming the plugins imports them here, once,
# and not in whichever thread reads the first TIFF.
FORMATS = tuple(
    plugin.format
    for plugin in (
        JpegImagePlugin.JpegImageFile,
        PngImagePlugin.PngImageFile,
        BmpImagePlugin.BmpImageFile,
        GifImagePlugin.GifImageFile,
        TiffImagePlugin.TiffImageFile,
        WebPImagePlugin.WebPImageFile,
    )
)

# Pillow warns at 89 megapixels and refuses at twice that, whoever sent the picture. How much is too
# much is for the caller to say (`max_pixels`): a satellite picture is fine to train on, an unknown
# client's is not.
Image.MAX_IMAGE_PIXELS = None

# What Pillow remarks about metadata (a bad EXIF tag, a malformed multi-picture index) concerns no
# pixel, and would put lines of Pillow's source code into a training log.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")

# Nor does the text in a PNG, of which 70 KB may unpack to 256 MB while the header is read. A chunk
# without a method is one that Pillow does not know, and passes over.
for _chunk in ("chunk_tEXt", "chunk_zTXt", "chunk_iTXt"):
    if hasattr(PngImagePlugin.PngStream, _chunk):
        delattr(PngImagePlugin.PngStream, _chunk)
