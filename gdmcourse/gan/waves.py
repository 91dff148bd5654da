"""Waves of many lengths beside a point's coordinates, so that a small critic can see fine structure."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Waves(nn.Module):
    """Points (N, dim) to (N, dim + 2·count): themselves, and the cosine and sine of `count` random waves.

    Each wave has a direction of its own and a frequency between the two of `band`, evenly on a logarithmic
    axis, in radians for a way of `scale`; by `scale` the coordinates are divided, too. A perceptron alone is
    slow to learn what is narrow (Tancik et al. 2020). The waves are drawn once, and not learned.
    """

    frequencies: Tensor

    def __init__(self, dim: int, count: int, band: tuple[float, float], scale: float = 1.0) -> None:
        super().__init__()
        low, high = (math.log(frequency) for frequency in band)
        directions = nn.functional.normalize(torch.randn(dim, count), dim=0)
        self.register_buffer("frequencies", directions * (low + (high - low) * torch.rand(count)).exp())
        self.scale, self.out = scale, dim + 2 * count

    def forward(self, x: Float[Tensor, "n dim"]) -> Float[Tensor, "n out"]:
        """The coordinates, the cosines, the sines."""
        x = x / self.scale
        phase = x @ self.frequencies
        return torch.cat([x, phase.cos(), phase.sin()], dim=1)
