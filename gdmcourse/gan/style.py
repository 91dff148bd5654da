"""A generator that is told at each resolution what to do there, in the shape of StyleGAN2."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn.functional import interpolate

from gdmcourse.gan.dcgan import check_size
from gdmcourse.gan.equalised import activate
from gdmcourse.gan.mapping import Mapping, truncated
from gdmcourse.gan.modulated import ModulatedConv2d


def mixed_styles(
    w: Float[Tensor, "n d"], other: Float[Tensor, "n d"], crossover: Int64[Tensor, " n"], layers: int
) -> Float[Tensor, "n layers d"]:
    """For each of `layers` layers, the first latent before the image's crossover and the other from there.

    Raises ValueError unless there is another latent and a crossover for each image.
    """
    if other.shape != w.shape or crossover.shape != w.shape[:1]:
        raise ValueError(
            f"give another latent and a crossover for each of {len(w)} images, not {len(other)} and "
            f"{tuple(crossover.shape)}"
        )
    first = torch.arange(layers, device=w.device)[:, None] < crossover[:, None, None]
    return torch.where(first, w[:, None], other[:, None])


def doubled(x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c two_h two_w"]:
    """Images or features of twice the side, by bilinear interpolation."""
    return interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


class Synthesis(nn.Module):
    """Latents (n, layers, style_dim), one for each layer, to images (n, c, h, w), not held in [−1, 1].

    From a learned constant on, each resolution has its convolutions (one at the first, then two) and a head
    that makes an image of the features; the image is the sum of all heads, each doubled up to full size.
    A head shares its latent with the next resolution's first convolution.
    """

    def __init__(self, shape: tuple[int, int, int], style_dim: int, width: int) -> None:
        super().__init__()
        levels = check_size(shape)
        self.layers = 2 * (levels + 1)
        channels = [width << level for level in reversed(range(levels + 1))]
        self.sizes = [(shape[1] >> level, shape[2] >> level) for level in reversed(range(levels + 1))]
        self.constant = nn.Parameter(torch.randn(channels[0], *self.sizes[0]))
        self.first = nn.ModuleList(  # of each resolution but the smallest
            ModulatedConv2d(inside, outside, style_dim) for inside, outside in pairwise(channels)
        )
        self.second = nn.ModuleList(ModulatedConv2d(count, count, style_dim) for count in channels)
        self.heads = nn.ModuleList(
            ModulatedConv2d(count, shape[0], style_dim, kernel=1, demodulate=False) for count in channels
        )
        self.strength = nn.Parameter(torch.zeros(self.layers - 1))  # of the noise in each convolution

    def noise_maps(self, n: int, rng: torch.Generator) -> list[Tensor]:
        """Standard normal noise for each convolution, (n, 1, h, w) of its size, on the device of `rng`."""
        sizes = [size for size in self.sizes for _ in range(2)][1:]
        return [torch.randn(n, 1, *size, generator=rng, device=rng.device) for size in sizes]

    def forward(
        self, w: Float[Tensor, "n layers d"], noise: Sequence[Tensor] | None = None
    ) -> Float[Tensor, "n c h w"]:
        """The images; without `noise` its mean, 0, is taken."""
        maps: list[Tensor | float] = [0.0] * len(self.strength)
        if noise is not None:
            maps = [strength * part for strength, part in zip(self.strength, noise, strict=True)]
        x = self.constant.expand(len(w), -1, -1, -1)
        image: Tensor | None = None
        for level, (second, head) in enumerate(zip(self.second, self.heads, strict=True)):
            at = 2 * level
            if level:
                x = activate(self.first[level - 1](doubled(x), w[:, at - 1], maps[at - 1]))
            x = activate(second(x, w[:, at], maps[at]))
            part = head(x, w[:, at + 1])
            image = part if image is None else doubled(image) + part
        assert image is not None
        return image


class StyleGenerator(nn.Module):
    """Noise z (n, noise_dim) to images (n, c, h, w): a mapping to w, and a synthesis in the style of w."""

    def __init__(
        self, shape: tuple[int, int, int], noise_dim: int = 32, style_dim: int = 32, width: int = 16
    ) -> None:
        super().__init__()
        self.mapping = Mapping(noise_dim, style_dim)
        self.synthesis = Synthesis(shape, style_dim, width)

    def styles(
        self,
        z: Float[Tensor, "n noise_dim"],
        other: Float[Tensor, "n noise_dim"] | None = None,
        crossover: Int64[Tensor, " n"] | None = None,
        psi: float = 1.0,
    ) -> Float[Tensor, "n layers d"]:
        """The latent for each layer: that of z, or from layer `crossover` on that of `other`; truncated.

        Raises ValueError for `other` without `crossover`, or the other way round.
        """
        if (other is None) != (crossover is None):
            raise ValueError("give both other and crossover, or neither: they say together what is mixed")
        w = truncated(self.mapping(z), self.mapping.middle, psi)
        if other is None or crossover is None:
            return w[:, None].expand(-1, self.synthesis.layers, -1)
        second = truncated(self.mapping(other), self.mapping.middle, psi)
        return mixed_styles(w, second, crossover, self.synthesis.layers)

    def forward(
        self,
        z: Float[Tensor, "n noise_dim"],
        noise: Sequence[Tensor] | None = None,
        other: Float[Tensor, "n noise_dim"] | None = None,
        crossover: Int64[Tensor, " n"] | None = None,
        psi: float = 1.0,
    ) -> Float[Tensor, "n c h w"]:
        """An image for each noise; `noise` are the maps of `Synthesis.noise_maps`."""
        return self.synthesis(self.styles(z, other, crossover, psi), noise)
