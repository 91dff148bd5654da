"""Layers that look at some of their inputs only: masked weights, and convolutions that don't look ahead."""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn


def degree_mask(
    before: Int64[Tensor, " inputs"], after: Int64[Tensor, " outputs"], *, strict: bool = False
) -> Bool[Tensor, "outputs inputs"]:
    """Which inputs a layer may read: those of a degree up to the output's, or below it where `strict`.

    Source: `eq-ar-degrees` (Germain et al. 2015).
    """
    return before < after[:, None] if strict else before <= after[:, None]


def colours_of(channels: int, colours: int) -> Int64[Tensor, " channels"]:
    """The colour that each channel of a feature map belongs to: as many channels each, in order.

    Raises ValueError if the channels can't be divided so.
    """
    if channels % colours:
        raise ValueError(f"{channels} channels can't be shared out among {colours} colours")
    return torch.arange(colours).repeat_interleave(channels // colours)


def pixel_mask(
    kind: str, height: int, width: int, inputs: Int64[Tensor, " c_in"], outputs: Int64[Tensor, " c_out"]
) -> Bool[Tensor, "c_out c_in height width"]:
    """Weights of a convolution centred in the last row of `height`, that see what is before in raster order.

    Rows above and, in the same row, the pixels to the left. At the pixel itself `inputs` and `outputs` say
    which colour each channel belongs to: mask "A" lets an output see the colours before its own, mask "B"
    its own as well. Raises ValueError for another kind, and for a `width` that is even and so has no middle.
    Source: `def-ar-masks` (van den Oord et al. 2016).
    """
    if kind not in ("A", "B"):
        raise ValueError(f"a mask is of kind 'A' or 'B', not {kind!r}")
    if width % 2 == 0:
        raise ValueError(f"the width of a masked kernel must be odd, not {width}")
    mask = torch.ones(len(outputs), len(inputs), height, width, dtype=torch.bool)
    mask[:, :, -1, width // 2 :] = False
    mask[:, :, -1, width // 2] = degree_mask(inputs, outputs, strict=kind == "A")
    return mask


class MaskedLinear(nn.Linear):
    """A linear layer whose weights are multiplied by `mask` (outputs, inputs)."""

    mask: Tensor

    def __init__(self, mask: Bool[Tensor, "outputs inputs"]) -> None:
        super().__init__(mask.shape[1], mask.shape[0])
        self.register_buffer("mask", mask.to(self.weight), persistent=False)

    def forward(self, x: Float[Tensor, "*batch inputs"]) -> Float[Tensor, "*batch outputs"]:
        """The product with the weights that are left."""
        return F.linear(x, self.weight * self.mask, self.bias)


class MaskedConv2d(nn.Conv2d):
    """A convolution over images that sees the rows above and the left of its own, size kept.

    `rows` of kernel height, the last one the pixel's own, and an odd `width`. Channels of inputs and outputs
    are shared out among the `colours`. Raises ValueError for an even width.
    """

    mask: Tensor

    def __init__(
        self, kind: str, channels_in: int, channels_out: int, rows: int, width: int, *, colours: int = 1
    ) -> None:
        super().__init__(channels_in, channels_out, (rows, width))
        mask = pixel_mask(
            kind, rows, width, colours_of(channels_in, colours), colours_of(channels_out, colours)
        )
        self.register_buffer("mask", mask.to(self.weight), persistent=False)

    def forward(self, x: Float[Tensor, "n c_in h w"]) -> Float[Tensor, "n c_out h w"]:
        """The convolution with the weights that are left."""
        rows, width = self.kernel_size
        padded = F.pad(x, (width // 2, width // 2, rows - 1, 0))
        return F.conv2d(padded, self.weight * self.mask, self.bias)


class CausalConv1d(nn.Conv1d):
    """A dilated convolution over time that sees its own place and those before it, length kept."""

    def __init__(self, channels_in: int, channels_out: int, kernel: int, dilation: int = 1) -> None:
        super().__init__(channels_in, channels_out, kernel, dilation=dilation)

    def forward(self, x: Float[Tensor, "n c_in l"]) -> Float[Tensor, "n c_out l"]:
        """Pads with zeros at the beginning only."""
        return super().forward(F.pad(x, (self.dilation[0] * (self.kernel_size[0] - 1), 0)))
