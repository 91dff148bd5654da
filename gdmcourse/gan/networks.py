"""Generators and critics. A critic gives logits; no network knows how it is trained."""

import itertools

from jaxtyping import Float
from torch import Tensor, nn


def perceptron(sizes: list[int]) -> nn.Sequential:
    """Linear layers of these sizes with leaky ReLUs between them."""
    layers: list[nn.Module] = []
    for inside, outside in itertools.pairwise(sizes):
        layers += [nn.Linear(inside, outside), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers[:-1])


class PointGenerator(nn.Module):
    """Noise (N, noise_dim) to points (N, dim), through two hidden layers."""

    def __init__(self, noise_dim: int = 2, dim: int = 2, width: int = 128) -> None:
        super().__init__()
        self.noise_dim = noise_dim
        self.layers = perceptron([noise_dim, width, width, dim])

    def forward(self, z: Float[Tensor, "n noise_dim"]) -> Float[Tensor, "n dim"]:
        """A point for each noise."""
        return self.layers(z)


class PointCritic(nn.Module):
    """Points (N, dim) to one logit each, through two hidden layers."""

    def __init__(self, dim: int = 2, width: int = 128) -> None:
        super().__init__()
        self.layers = perceptron([dim, width, width, 1])

    def forward(self, x: Float[Tensor, "n dim"]) -> Float[Tensor, " n"]:
        """A logit for each point, large where it looks real."""
        return self.layers(x).squeeze(1)
