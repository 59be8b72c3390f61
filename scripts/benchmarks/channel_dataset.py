"""SageMaker's channels as a GluonCV dataset: GluonCV's own transforms, our folders."""

from pathlib import Path
from typing import Any

import mxnet as mx
import numpy as np
from gluoncv.data.segbase import SegmentationDataset
from PIL import Image


class ChannelDataset(SegmentationDataset):  # type: ignore[misc]  # GluonCV has no types
    """Images of one channel with the masks of the other, by name.

    Masks are padded with class 0 as GluonCV does, and 255 is ignored as in its Pascal VOC loader.

    Args:
        images: folder of the images.
        masks: folder of the masks, PNG files with the images' names.
        mode: `train` or `val`, GluonCV's names for its two transforms.
        transform: applied to the image at last.
        base_size: of GluonCV's random scale.
        crop_size: of GluonCV's crops.
    """

    def __init__(
        self,
        images: Path,
        masks: Path,
        mode: str,
        transform: Any,
        base_size: int,
        crop_size: int,
    ) -> None:
        super().__init__(str(images), mode, mode, transform, base_size, crop_size)
        suffixes = {".jpg", ".jpeg", ".png"}
        files = sorted(file for file in images.iterdir() if file.suffix.lower() in suffixes)
        self._pairs = [(file, masks / f"{file.stem}.png") for file in files]

    def __len__(self) -> int:
        return len(self._pairs)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image_file, mask_file = self._pairs[index]
        image, mask = Image.open(image_file).convert("RGB"), Image.open(mask_file)
        cut = self._sync_transform if self.mode == "train" else self._val_sync_transform
        pixels, labels = cut(image, mask)
        return self.transform(pixels), labels

    def _mask_transform(self, mask: Image.Image) -> Any:
        labels = np.array(mask).astype("int32")
        labels[labels == 255] = -1
        return mx.nd.array(labels, mx.cpu(), dtype="int32")
