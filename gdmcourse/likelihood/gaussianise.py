"""A first layer of flows on pixels: each through its own histogram to uniform, and on to normal."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gdmcourse.data.levels import bin_width
from gdmcourse.likelihood.flow import WithLogDet
from gdmcourse.likelihood.points import exact

PRIOR = 0.5  # what each level counts before any pixel was seen, so that none is impossible
EDGE = 2.0**-40  # Φ⁻¹ is infinite at 0 and 1


class Gaussianise(nn.Module):
    """z = Φ⁻¹(F(x)), a coordinate at a time, F the distribution function of its histogram.

    Pixels lie on [−1, 1] and are dequantised, so that F is straight in each of the `levels` bins (after Chen
    and Gopinath 2000). The density of pixels outside all bins is 0. Nothing is trained by gradients;
    `initialise` counts. Raises ValueError for fewer than two levels. Source: `eq-gaussianise`.
    """

    chance: Tensor

    def __init__(self, dim: int, levels: int) -> None:
        super().__init__()
        if levels < 2:
            raise ValueError(f"a pixel needs at least 2 levels, not {levels}")
        self.width = bin_width(levels)
        self.register_buffer("chance", torch.full((dim, levels), 1 / levels))

    @torch.no_grad()
    def initialise(self, x: Float[Tensor, "n d"]) -> None:
        """Count how often each coordinate lies in each bin; raises ValueError for what lies in none."""
        if x.ndim != 2 or len(x) == 0 or x.shape[1] != len(self.chance):
            raise ValueError(f"x must be (N, {len(self.chance)}) with some rows, not {tuple(x.shape)}")
        bins, place = self._place(exact(x))
        if not bool(((place >= -1e-3) & (place <= 1 + 1e-3)).all()):  # an edge may be missed by rounding
            raise ValueError("x holds nan or pixels outside all bins; dequantise pixels of [−1, 1] once")
        bins = bins.T
        counts = torch.full_like(self.chance, PRIOR).scatter_add(
            1, bins, torch.ones_like(bins, dtype=self.chance.dtype)
        )
        self.chance.copy_(counts / counts.sum(1, keepdim=True))

    def forward(self, x: Float[Tensor, "n d"]) -> WithLogDet:
        """z and the sum of log F′(x) − log φ(z)."""
        bins, place = self._place(exact(x))
        chance, below = self._bins(bins)
        u = (below + chance * place).clamp(EDGE, 1 - EDGE)
        z = torch.special.ndtri(u)
        log_density = torch.where((place < 0) | (place > 1), -math.inf, chance.log() - math.log(self.width))
        return z.to(x), (log_density + self._surprise(z)).sum(1).to(x)

    def inverse(self, z: Float[Tensor, "n d"]) -> WithLogDet:
        """x and the sum of log φ(z) − log F′(x)."""
        wide = exact(z)
        u = torch.special.ndtr(wide)
        edges = exact(self.chance).cumsum(1)[:, :-1].contiguous()
        bins = torch.searchsorted(edges, u.T.contiguous(), right=True).T
        chance, below = self._bins(bins)
        place = ((u - below) / chance).clamp(0, 1)
        x = (bins + place - 0.5) * self.width - 1
        log_det = math.log(self.width) - chance.log() - self._surprise(wide)
        return x.to(z), log_det.sum(1).to(z)

    def _place(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The bin of each pixel, and where in it the pixel lies, from 0 to 1."""
        at = (x + 1) / self.width + 0.5
        bins = at.detach().floor().clamp(0, self.chance.shape[1] - 1).nan_to_num().long()
        return bins, at - bins

    def _bins(self, bins: Tensor) -> tuple[Tensor, Tensor]:
        """The probability of each pixel's bin, and of all bins below."""
        chance = exact(self.chance)
        at = torch.arange(len(chance), device=chance.device)
        return chance[at, bins], (chance.cumsum(1) - chance)[at, bins]

    @staticmethod
    def _surprise(z: Tensor) -> Tensor:
        """−log φ(z)."""
        return 0.5 * (z.square() + math.log(2 * math.pi))
