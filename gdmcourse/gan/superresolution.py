"""Enlarging images: the sub-pixel shuffle, a generator that ends in it, and a loss in a space of features."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gdmcourse.gan.translation import planes
from gdmcourse.nn.residual import ResidualBlock, group_norm


def sub_pixel_shuffle(x: Float[Tensor, "n channels h w"], factor: int) -> Float[Tensor, "n c h_out w_out"]:
    """(N, C·r², H, W) to (N, C, r·H, r·W): a pixel of r² channels becomes a block of r×r pixels.

    Channel c·r² + i·r + j becomes the pixel at row i, column j of each block. Equation `def-tr-shuffle` (Shi
    et al. 2016). Raises ValueError where r² doesn't divide the channels.
    """
    n, channels, height, width = x.shape
    if channels % factor**2:
        raise ValueError(
            f"a shuffle by {factor} needs a multiple of {factor**2} channels, not {channels}; let the "
            "convolution before it make as many"
        )
    parts = x.view(n, channels // factor**2, factor, factor, height, width)
    return parts.permute(0, 1, 4, 2, 5, 3).reshape(n, -1, height * factor, width * factor)


class Enlarger(nn.Module):
    """Small images (N, C, H, W), and noise (N, noise_dim) where there is any, to (N, C, 2H, 2W) in [−1, 1].

    All but the last convolution works at the small size, as in SRGAN (Ledig et al. 2017). Raises ValueError
    for noise that is missing or not expected.
    """

    def __init__(self, channels: int, width: int = 32, blocks: int = 2, noise_dim: int = 0) -> None:
        super().__init__()
        self.noise_dim = noise_dim
        self.first = nn.Conv2d(channels + noise_dim, width, 3, padding=1)
        self.blocks = nn.Sequential(*[ResidualBlock(width, width) for _ in range(blocks)])
        self.spread = nn.Sequential(group_norm(width), nn.SiLU(), nn.Conv2d(width, 4 * width, 3, padding=1))
        self.last = nn.Sequential(nn.SiLU(), nn.Conv2d(width, channels, 3, padding=1), nn.Tanh())

    def forward(
        self, x: Float[Tensor, "n c h w"], z: Float[Tensor, "n noise_dim"] | None = None
    ) -> Float[Tensor, "n c h2 w2"]:
        """An image of twice the side for each image."""
        if (z is None) != (self.noise_dim == 0):
            raise ValueError("pass noise exactly if the enlarger was built with a noise_dim")
        h = self.first(x if z is None else torch.cat([x, planes(z, x)], dim=1))
        return self.last(sub_pixel_shuffle(self.spread(self.blocks(h)), 2))


def perceptual_loss(
    features: Callable[[Tensor], Tensor], made: Float[Tensor, "n c h w"], real: Float[Tensor, "n c h w"]
) -> Float[Tensor, ""]:
    """Mean squared difference of the features of images that were made and of the real ones.

    Equation `eq-tr-perceptual` says what makes it small. The gradient flows through `made` alone.
    """
    with torch.no_grad():
        wanted = features(real)
    return (features(made) - wanted).square().mean()
