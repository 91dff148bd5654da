"""Maps of the line, many games at once, and what a transport cost makes of them (Lin et al. 2025)."""

import math
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn


class LineNetworks(nn.Module):
    """Small networks from numbers to numbers, one for each game: (games, N) to (games, N).

    x ↦ w x + b plus a hidden layer of `width` hyperbolic tangents, each game with weights of its own. The
    slope w starts standard normal, so half of the lines go down. With `copies` each start is there so often,
    for games of different rules: game k is a copy of game k modulo `starts`.
    """

    def __init__(self, starts: int, copies: int = 1, width: int = 16) -> None:
        super().__init__()

        def many(*size: int, scale: float = 1.0) -> nn.Parameter:
            return nn.Parameter((scale * torch.randn(starts, *size)).repeat(copies, *[1] * len(size)))

        self.inner, self.offset = many(width, 1), many(width, 1)
        self.outer = many(width, 1, scale=0.1 / math.sqrt(width))
        self.slope, self.shift = many(1), many(1, scale=0.0)

    def forward(self, x: Float[Tensor, "games n"]) -> Float[Tensor, "games n"]:
        """The value of each game's network at each of its numbers."""
        hidden = torch.tanh(self.inner * x[:, None] + self.offset)
        return self.slope * x + self.shift + (self.outer * hidden).sum(1)


def transport_cost(z: Float[Tensor, "*#games n"], x: Float[Tensor, "*#games n"]) -> Float[Tensor, "*games"]:
    """Mean of (G(z) − z)², over the last dimension; all games may share one z (n,)."""
    return (x - z).square().mean(-1)


def flipped(z: Float[Tensor, "*#games n"], x: Float[Tensor, "*#games n"]) -> Bool[Tensor, "*games"]:
    """Whether G goes down where z goes up: whether their covariance is negative, for each game.

    All games may share one z (n,).
    """
    return ((z - z.mean(-1, keepdim=True)) * x).mean(-1) < 0


class AffineMap(NamedTuple):
    """z ↦ shift + slope · z."""

    shift: float
    slope: float


def best_affine_maps(mean: float, std: float, weight: float) -> tuple[AffineMap, AffineMap]:
    """The two minima of KL(p_θ‖p) + λ E(G(z) − z)² over affine G, for data N(mean, std²) and z from N(0, 1).

    The first has a positive slope, the second a negative one. Raises ValueError for std ≤ 0 or λ < 0.
    Source: `eq-transport-minima`.
    """
    if not std > 0:
        raise ValueError(f"std must be above 0, not {std}")
    if not weight >= 0:
        raise ValueError(f"the weight of the cost must be at least 0, not {weight}")
    stiffness = 1 / std**2 + 2 * weight
    shift = mean / (1 + 2 * weight * std**2)
    root = math.sqrt(weight**2 + stiffness)
    return AffineMap(shift, (weight + root) / stiffness), AffineMap(shift, (weight - root) / stiffness)
