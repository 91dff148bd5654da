"""Generators and critics. A critic gives logits; no network knows how it is trained."""

import itertools

from jaxtyping import Float
from torch import Tensor, nn

from gdmcourse.gan.minibatch import MinibatchDiscrimination


def perceptron(sizes: list[int]) -> nn.Sequential:
    """Linear layers of these sizes with leaky ReLUs between them."""
    layers: list[nn.Module] = []
    for inside, outside in itertools.pairwise(sizes):
        layers += [nn.Linear(inside, outside), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers[:-1])


class PointGenerator(nn.Module):
    """Noise (N, noise_dim) to points (N, dim) of about the size `scale`, through two hidden layers."""

    def __init__(self, noise_dim: int = 2, dim: int = 2, width: int = 128, scale: float = 1.0) -> None:
        super().__init__()
        self.noise_dim, self.scale = noise_dim, scale
        self.layers = perceptron([noise_dim, width, width, dim])

    def forward(self, z: Float[Tensor, "n noise_dim"]) -> Float[Tensor, "n dim"]:
        """A point for each noise."""
        return self.scale * self.layers(z)


class PointCritic(nn.Module):
    """Points (N, dim) of about the size `scale` to one logit each, through two hidden layers.

    With `pack` m it judges m points at once and gives N/m logits (PacGAN, Lin et al. 2018). With `kernels` it
    is told, beside what the hidden layers see, how close the batch's other points are (`minibatch.py`).
    """

    def __init__(
        self, dim: int = 2, width: int = 128, pack: int = 1, kernels: int = 0, scale: float = 1.0
    ) -> None:
        super().__init__()
        self.pack, self.scale = pack, scale
        self.hidden = nn.Sequential(perceptron([pack * dim, width, width]), nn.LeakyReLU(0.2))
        self.others = MinibatchDiscrimination(width, kernels) if kernels else nn.Identity()
        self.last = nn.Linear(width + kernels, 1)

    def forward(self, x: Float[Tensor, "n dim"]) -> Float[Tensor, " n_over_pack"]:
        """A logit for each point or pack, large where it looks real; raises ValueError for half a pack."""
        if len(x) % self.pack:
            raise ValueError(f"{len(x)} points can't be put into packs of {self.pack}")
        packs = x.reshape(len(x) // self.pack, -1) / self.scale
        return self.last(self.others(self.hidden(packs))).squeeze(1)
