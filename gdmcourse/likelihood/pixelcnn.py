"""PixelCNN: masked convolutions over images, with a blind spot, and with two stacks that cure it.

An image of c colours is a sequence in raster order: row by row, in a row from left to right, and at a pixel
colour by colour.
"""

import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

from gdmcourse.likelihood.autoregressive import Autoregressive
from gdmcourse.likelihood.masks import MaskedConv2d


def as_sequences(images: Int64[Tensor, "n c h w"]) -> Int64[Tensor, "n d"]:
    """Images of symbols as sequences in raster order."""
    return images.permute(0, 2, 3, 1).flatten(1)


def as_images(x: Int64[Tensor, "n d"], shape: tuple[int, int, int]) -> Int64[Tensor, "n c h w"]:
    """The images of `shape` (c, h, w) that `as_sequences` made these sequences of."""
    colours, height, width = shape
    return x.unflatten(1, (height, width, colours)).permute(0, 3, 1, 2)


class ImageModel(Autoregressive):
    """What models of images have in common: a sequence in, an image within, a sequence of logits out."""

    def __init__(self, shape: tuple[int, int, int], levels: int) -> None:
        super().__init__(levels)
        self.shape = tuple(shape)

    def maps(self, image: Float[Tensor, "n c h w"]) -> Float[Tensor, "n out h w"]:
        """The logits as a feature map with c · levels channels."""
        raise NotImplementedError

    def logits(self, embedded: Float[Tensor, "n d c"]) -> Float[Tensor, "n d levels"]:
        """Through the image and back."""
        colours, height, width = self.shape
        image = embedded[..., 0].unflatten(1, (height, width, colours)).permute(0, 3, 1, 2)
        maps = self.maps(image).unflatten(1, (colours, self.levels))  # (n, c, levels, h, w)
        return maps.permute(0, 3, 4, 1, 2).flatten(1, 3)


class PixelCNN(ImageModel):
    """A mask A, then `layers` residual ones with mask B (van den Oord et al. 2016), all with kernels of 3.

    It doesn't look ahead, and there are pixels before its own that it can't see: `eq-ar-blind-spot`.
    """

    def __init__(self, shape: tuple[int, int, int], levels: int, width: int, layers: int) -> None:
        super().__init__(shape, levels)
        c = shape[0]
        self.first = MaskedConv2d("A", c, width, 2, 3, colours=c)
        self.layers = nn.ModuleList(MaskedConv2d("B", width, width, 2, 3, colours=c) for _ in range(layers))
        self.head = MaskedConv2d("B", width, c * levels, 1, 1, colours=c)

    def maps(self, image: Float[Tensor, "n c h w"]) -> Float[Tensor, "n out h w"]:
        """One stack."""
        features = self.first(image)
        for layer in self.layers:
            features = features + layer(F.relu(features))
        return self.head(F.relu(features))


class GatedLayer(nn.Module):
    """One layer of both stacks: what is above, and what is to the left together with what is above."""

    def __init__(
        self, kind: str, channels: int, width: int, colours: int, dropout: float, first: bool
    ) -> None:
        super().__init__()
        self.colours, self.first = colours, first
        self.vertical = nn.Conv2d(channels, 2 * width, (2, 3))  # its own row and the one above
        self.link = nn.Conv2d(2 * width, 2 * width, 1)
        self.horizontal = MaskedConv2d(kind, channels, 2 * width, 1, 3, colours=colours)
        self.out = MaskedConv2d("B", width, width, 1, 1, colours=colours)
        self.dropout = nn.Dropout(dropout)

    def forward(self, above: Tensor, left: Tensor) -> tuple[Tensor, Tensor]:
        """Features of the rows down to the pixel's own, and features of what is before the pixel."""
        rows = self.vertical(F.pad(above, (1, 1, 1, 0)))
        strictly_above = F.pad(rows, (0, 0, 1, 0))[:, :, :-1]
        new = self.out(self.dropout(self.gate(self.horizontal(left) + self.link(strictly_above))))
        return self.gate(rows), new if self.first else left + new

    def gate(self, x: Float[Tensor, "n twice h w"]) -> Float[Tensor, "n half h w"]:
        """tanh times sigmoid; each colour's channels are halved among themselves."""
        value, gate = x.unflatten(1, (self.colours, 2, -1)).unbind(2)
        return (value.tanh() * gate.sigmoid()).flatten(1, 2)


class GatedPixelCNN(ImageModel):
    """Two stacks: one sees all rows above, the other these and what is to the left.

    Source: van den Oord et al. 2016, "Conditional Image Generation with PixelCNN Decoders".
    `width` channels in each, a multiple of the number of colours.
    """

    def __init__(
        self, shape: tuple[int, int, int], levels: int, width: int, layers: int, dropout: float = 0.0
    ) -> None:
        super().__init__(shape, levels)
        c = shape[0]
        self.layers = nn.ModuleList(
            GatedLayer("B" if i else "A", width if i else c, width, c, dropout, first=i == 0)
            for i in range(layers)
        )
        self.head = nn.Sequential(
            nn.ReLU(),
            MaskedConv2d("B", width, 2 * width, 1, 1, colours=c),
            nn.ReLU(),
            nn.Dropout(dropout),
            MaskedConv2d("B", 2 * width, c * levels, 1, 1, colours=c),
        )

    def maps(self, image: Float[Tensor, "n c h w"]) -> Float[Tensor, "n out h w"]:
        """Both stacks, then the head on the second."""
        above = left = image
        for layer in self.layers:
            above, left = layer(above, left)
        return self.head(left)
