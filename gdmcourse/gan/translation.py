"""From image to image: a generator of the U-Net's shape, a critic of patches, and the losses of a cycle."""

from collections.abc import Callable, Iterable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gdmcourse.nn.residual import ResidualBlock, group_norm

Map = Callable[[Tensor], Tensor]  # images of one domain to images of another


def planes(z: Float[Tensor, "n d"], like: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d h w"]:
    """Each number of the noise as a plane of the size of `like`, to lie beside its channels."""
    return z[:, :, None, None].expand(-1, -1, *like.shape[2:])


class Translator(nn.Module):
    """Images (N, channels, H, W), and noise (N, noise_dim) where there is any, to images in [−1, 1].

    Down `halvings` times with a residual block at each size, up again, and across by skip connections. Raises
    ValueError for sides that can't be halved so often, and for noise that is missing or not expected.
    """

    def __init__(
        self, channels: int, out_channels: int, width: int = 16, halvings: int = 1, noise_dim: int = 0
    ) -> None:
        super().__init__()
        self.noise_dim, self.halvings = noise_dim, halvings
        widths = [width << level for level in range(halvings + 1)]
        self.first = nn.Conv2d(channels + noise_dim, width, 3, padding=1)
        self.down = nn.ModuleList(ResidualBlock(size, size) for size in widths)
        self.shrink = nn.ModuleList(nn.Conv2d(s, 2 * s, 3, stride=2, padding=1) for s in widths[:-1])
        self.grow = nn.ModuleList(
            nn.ConvTranspose2d(2 * s, s, 4, stride=2, padding=1) for s in reversed(widths[:-1])
        )
        self.up = nn.ModuleList(ResidualBlock(2 * size, size) for size in reversed(widths[:-1]))
        last = nn.Conv2d(width, out_channels, 3, padding=1)
        self.last = nn.Sequential(group_norm(width), nn.SiLU(), last, nn.Tanh())

    def forward(
        self, x: Float[Tensor, "n c h w"], z: Float[Tensor, "n noise_dim"] | None = None
    ) -> Float[Tensor, "n c_out h w"]:
        """An image for each image."""
        if (z is None) != (self.noise_dim == 0):
            raise ValueError("pass noise exactly if the translator was built with a noise_dim")
        times = 1 << self.halvings
        if x.shape[2] % times or x.shape[3] % times:
            raise ValueError(
                f"this translator halves an image {self.halvings} times, so its sides must be multiples of "
                f"{times}, not {x.shape[2]}×{x.shape[3]}"
            )
        h = self.first(x if z is None else torch.cat([x, planes(z, x)], dim=1))
        skips = []
        for block, shrink in zip(self.down, self.shrink, strict=False):  # the last block is the bottom
            h = block(h)
            skips.append(h)
            h = shrink(h)
        h = self.down[-1](h)
        for grow, block in zip(self.grow, self.up, strict=True):
            h = block(torch.cat([grow(h), skips.pop()], dim=1))
        return self.last(h)


class PatchCritic(nn.Module):
    """Images (N, channels, H, W) to a map (N, H′, W′) of logits, each of which judges one patch (PatchGAN).

    `field` is the side of a patch in pixels. Patches overlap, and those at a border reach beyond it.
    """

    def __init__(self, channels: int, width: int = 16, halvings: int = 1) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 3, padding=1), nn.LeakyReLU(0.2)]
        for level in range(halvings):
            layers.append(nn.Conv2d(width << level, width << level + 1, 4, stride=2, padding=1))
            layers.append(nn.LeakyReLU(0.2))
        self.layers = nn.Sequential(*layers, nn.Conv2d(width << halvings, 1, 1))
        self.field = receptive_field([(3, 1)] + [(4, 2)] * halvings + [(1, 1)])

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n h_out w_out"]:
        """A logit for each patch, large where it looks real."""
        return self.layers(x).squeeze(1)


def receptive_field(layers: Iterable[tuple[int, int]]) -> int:
    """The side, in pixels, of the square in which all lies that one output of a stack of convolutions sees.

    A layer is (kernel, stride), the first layer first; one whose kernel is shorter than its stride leaves
    gaps in the square. Equation `eq-tr-field`. Raises ValueError for a kernel or stride below 1.
    """
    field, jump = 1, 1  # jump: how far apart, in pixels of the image, two neighbouring inputs lie
    for kernel, stride in layers:
        if kernel < 1 or stride < 1:
            raise ValueError(f"kernel and stride of a layer are 1 or more, not {kernel} and {stride}")
        field += (kernel - 1) * jump
        jump *= stride
    return field


def cycle_loss(there: Map, back: Map, x: Float[Tensor, " n *shape"]) -> Float[Tensor, ""]:
    """Mean |back(there(x)) − x| over pixels: how much of an image doesn't survive the way there and back.

    Equation `def-tr-cycle`. Raises ValueError where an image comes back in another shape.
    """
    return _difference(back(there(x)), x)


def identity_loss(there: Map, y: Float[Tensor, " n *shape"]) -> Float[Tensor, ""]:
    """Mean |there(y) − y| over pixels, for images that are in the target's domain already.

    Raises ValueError where an image comes back in another shape.
    """
    return _difference(there(y), y)


def _difference(made: Tensor, wanted: Tensor) -> Tensor:
    if made.shape != wanted.shape:
        raise ValueError(
            f"images of shape {tuple(wanted.shape)} came back as {tuple(made.shape)}, and only equal shapes "
            "can be compared pixel by pixel"
        )
    return (made - wanted).abs().mean()
