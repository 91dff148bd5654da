"""A small network for points that move: where to, from where one is and from the time."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gdmcourse.nn.time_embedding import sinusoidal

FEATURES = 16  # of the time


class PointVelocity(nn.Module):
    """Points (N, dim) and times (N,) in [0, 1] to velocities (N, dim), through three hidden layers."""

    def __init__(self, dim: int = 2, width: int = 128) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(dim + FEATURES, width),
            nn.SiLU(),
            nn.Linear(width, width),
            nn.SiLU(),
            nn.Linear(width, width),
            nn.SiLU(),
            nn.Linear(width, dim),
        )

    def forward(
        self, x: Float[Tensor, "n d"], t: Float[Tensor, " n"], y: None = None
    ) -> Float[Tensor, "n d"]:
        """The velocity at each point; `y` is there so that it is called as other velocities are."""
        # Slow waves: at most 20 radians over the whole time.
        return self.layers(torch.cat([x, sinusoidal(20 * t, FEATURES, max_period=40.0)], dim=1))
