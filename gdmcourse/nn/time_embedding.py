"""A time step as a vector: sines and cosines of many frequencies, then a small network."""

import math

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn


def sinusoidal(t: Shaped[Tensor, " n"], dim: int, max_period: float = 10_000.0) -> Float[Tensor, "n dim"]:
    """Sines then cosines of t · max_period^(−i/(dim/2 − 1)) for i = 0 … dim/2 − 1.

    `t` may be whole steps or real times; `dim` is even and at least 4. The frequencies fall geometrically
    from 1 to 1/max_period, so that near steps differ in the fast components and far ones in the slow.
    Raises ValueError for an odd or too small `dim`. Source: Vaswani et al. (2017); Ho et al. (2020).
    """
    if dim < 4 or dim % 2:
        raise ValueError(f"a sinusoidal embedding needs an even dimension of at least 4, not {dim}")
    half = dim // 2
    exponents = torch.arange(half, device=t.device, dtype=torch.float32) / (half - 1)
    angles = t.float()[:, None] * torch.exp(-math.log(max_period) * exponents)
    return torch.cat([angles.sin(), angles.cos()], dim=1)


class TimeEmbedding(nn.Module):
    """Maps times (N,) to vectors (N, out_dim): sinusoidal features of size `dim`, then two linear layers."""

    def __init__(self, dim: int, out_dim: int) -> None:
        super().__init__()
        self.dim = dim
        self.project = nn.Sequential(nn.Linear(dim, out_dim), nn.SiLU(), nn.Linear(out_dim, out_dim))

    def forward(self, t: Shaped[Tensor, " n"]) -> Float[Tensor, "n out_dim"]:
        """Embed each time; see `sinusoidal`."""
        features = sinusoidal(t, self.dim)
        return self.project(features.to(next(self.parameters()).dtype))
