"""PSP's head for inference: the same logits, with half of the multiplications.

The head's 3x3 convolution reads 2048 channels of features and as many of averages, of which there
are 6x6 at most before they are upsampled to the features' size. Upsampling works on each channel
alone, and a convolution's taps on each place alone. So the taps may come first: they multiply a few
averages, not as many as there are features. Nor is anything as large as all channels side by side
ever in memory.
"""

from typing import Any

import mxnet as mx
import numpy as np
import numpy.typing as npt
from mxnet.gluon import HybridBlock, nn

from semseg.networks.base import bilinear_matrix, turned
from semseg.networks.batch_norm import scale_and_shift
from semseg.networks.image_wide import ImageWide, averaging_matrix, upsample_and_add

_Values = npt.NDArray[np.float32]

_TAPS = 3  # a side
_CHANNELS_AT_ONCE = 256


class Taps(HybridBlock):
    """The taps of a 3x3 convolution, each by itself: (N,c,g,g) to (N,o,3g,3g).

    Rows are those of the first tap, of the second, of the third; so are columns.

    Args:
        weight: of the convolution, float32 (o,c,3,3).
    """

    def __init__(self, weight: _Values) -> None:
        super().__init__()
        self._outputs, inputs, *_ = weight.shape
        values = weight.transpose(1, 0, 2, 3).reshape(inputs, -1)
        with self.name_scope():
            self.weight = self.params.get("weight", shape=values.shape)
        _fill(self.weight, values)

    def hybrid_forward(self, F: Any, cells: Any, weight: Any) -> Any:
        products = F.dot(F.transpose(cells, axes=(0, 2, 3, 1)), weight)
        products = F.reshape(products, shape=(0, 0, 0, self._outputs, _TAPS, _TAPS))
        # From (N, row, column, o, tap's row, tap's column).
        products = F.transpose(products, axes=(0, 3, 4, 1, 5, 2))
        return F.reshape(products, shape=(0, 0, -3, -3))


class FactoredHead(HybridBlock, ImageWide):
    """A trained `PSP` head: features (N,2048,h,w) to logits (N,C,h,w).

    It has copies of the convolution's weights, with batch normalization folded into them.

    Args:
        head: of a network whose parameters have their values, on the CPU.
    """

    def __init__(self, head: Any) -> None:
        super().__init__()
        convolution, norm, *after = head.block
        weight, bias = _folded(convolution, norm)
        outputs, inputs, *_ = weight.shape
        self._channels = channels = inputs // 2  # of features, and as many of averages
        self.grids = head.psp.grids
        self.pyramid = head.psp
        with self.name_scope():
            self.convolution = nn.Conv2D(outputs, _TAPS, padding=1, in_channels=channels)
            parts = np.split(weight[:, channels:], len(self.grids), axis=1)
            self.taps = nn.HybridSequential()
            self.taps.add(*(Taps(part) for part in parts))
            self.after = nn.HybridSequential()
            self.after.add(*after)
        _fill(self.convolution.weight, weight[:, :channels])
        _fill(self.convolution.bias, bias)

    def branches(self) -> tuple[Any, ...]:
        return tuple(
            lambda averages, branch=branch, taps=taps: taps(branch(averages))
            for branch, taps in zip(self.pyramid.branches(), self.taps, strict=True)
        )

    @staticmethod
    def interpolation(F: Any, fine: Any, cells: Any) -> Any:
        """What an upsampled map adds for the place before, the place itself, and the one after.

        Beyond the first and the last place there is nothing, as a convolution has it.
        """
        # A leading axis, since MXNet complains of concatenations along the first when it quantizes.
        upsampled = F.expand_dims(bilinear_matrix(F, fine, cells), 0)
        nothing = F.zeros_like(F.slice_axis(upsampled, axis=1, begin=0, end=1))
        padded = F.concat(nothing, upsampled, nothing, dim=1)
        shifted = (
            F.slice_axis(padded, axis=1, begin=first, end=end)
            for first, end in ((0, -2), (1, -1), (2, None))
        )
        return F.reshape(F.concat(*shifted, dim=2), shape=(-3, 0))

    def hybrid_forward(self, F: Any, features: Any) -> Any:
        image_wide = self._image_wide(F, features) if self.given is None else self.given
        return self.after(self.convolution(features) + image_wide)

    def _image_wide(self, F: Any, features: Any) -> Any:
        # A few channels at a time, as reading features takes a copy of them in MXNet's own order.
        parts = [
            F.slice(features, begin=(None, first), end=(None, first + _CHANNELS_AT_ONCE))
            for first in range(0, self._channels, _CHANNELS_AT_ONCE)
        ]
        rows, columns = (F.contrib.arange_like(parts[0], axis=axis) for axis in (2, 3))
        # All columns' averages in one product: reading the features is what takes time.
        averaging = F.concat(*(averaging_matrix(F, columns, grid) for grid in self.grids), dim=1)
        lines = F.concat(*(F.dot(part, averaging) for part in parts), dim=1)
        maps, first = [], 0
        for grid, branch in zip(self.grids, self.branches(), strict=True):
            own = F.slice_axis(lines, axis=3, begin=first, end=first + grid)
            averages = F.dot(turned(F, own), averaging_matrix(F, rows, grid))
            maps.append(branch(turned(F, averages)))
            first += grid
        down, across = (
            [self.interpolation(F, places, F.arange(grid)) for grid in self.grids]
            for places in (rows, columns)
        )
        return upsample_and_add(F, maps, down, across)


def _fill(parameter: Any, values: _Values) -> None:
    """Gives a parameter its values, and no room for a gradient, which would be as large again."""
    parameter.grad_req = "null"
    parameter.initialize(mx.init.Zero(), ctx=mx.cpu())
    parameter.set_data(mx.nd.array(values, ctx=mx.cpu()))


def _folded(convolution: Any, norm: Any) -> tuple[_Values, _Values]:
    """The weight and bias of a convolution that does what its normalization did."""
    gamma, beta, mean, variance = (
        parameter.data().asnumpy()
        for parameter in (norm.gamma, norm.beta, norm.running_mean, norm.running_var)
    )
    scale, shift = scale_and_shift(gamma, beta, mean, variance, norm._kwargs["eps"])
    weight = convolution.weight.data().asnumpy()
    weight *= scale[:, None, None, None].astype(np.float32)
    return weight, shift.astype(np.float32)
