"""Sets of points in the plane whose shape is known, drawn afresh from a generator.

The Gaussian sets follow the protocol of PacGAN (Lin et al. 2018), the common yardstick for mode collapse;
their exact mixture is at hand as `toy_mixture`. The other four are drawn by rules of our own, stated in each.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from gdmcourse.data.errors import UnknownDatasetError


class MixtureParameters(NamedTuple):
    """A Gaussian mixture in the order that `gdmcourse.probability.GaussianMixture(*parameters)` takes."""

    weights: Float[Tensor, " k"]
    means: Float[Tensor, "k 2"]
    covariances: Float[Tensor, "k 2 2"]


def gaussian_ring(modes: int = 8, radius: float = 1.0, std: float = 0.01) -> MixtureParameters:
    """Equal Gaussians of standard deviation `std` at equal angles on a circle, the first at angle 0."""
    angle = 2 * math.pi * torch.arange(modes, dtype=torch.float64) / modes
    return _isotropic(radius * torch.stack([angle.cos(), angle.sin()], dim=1), std)


def gaussian_grid(side: int = 5, step: float = 2.0, std: float = 0.05) -> MixtureParameters:
    """`side`² equal Gaussians of standard deviation `std` on a square grid of width `step` around 0."""
    ticks = step * (torch.arange(side, dtype=torch.float64) - (side - 1) / 2)
    return _isotropic(torch.cartesian_prod(ticks, ticks), std)


def _isotropic(means: Float[Tensor, "k 2"], std: float) -> MixtureParameters:
    k = len(means)
    covariances = (std**2 * torch.eye(2, dtype=torch.float64)).repeat(k, 1, 1)
    weights = torch.full((k,), 1 / k, dtype=torch.float64)
    return MixtureParameters(weights.float(), means.float(), covariances.float())


def _sample(mixture: MixtureParameters, n: int, generator: Generator) -> Float[Tensor, "n 2"]:
    device = generator.device
    component = torch.randint(len(mixture.weights), (n,), generator=generator, device=device)
    std = mixture.covariances[0, 0, 0].sqrt().to(device)
    return mixture.means.to(device)[component] + std * _normal(n, generator)


def _normal(n: int, generator: Generator) -> Float[Tensor, "n 2"]:
    return torch.randn(n, 2, generator=generator, device=generator.device)


def _uniform(n: int, generator: Generator) -> Float[Tensor, " n"]:
    return torch.rand(n, generator=generator, device=generator.device)


def _choice(options: int, n: int, generator: Generator) -> Float[Tensor, " n"]:
    return torch.randint(options, (n,), generator=generator, device=generator.device).float()


def moons(n: int, generator: Generator, std: float = 0.05) -> Float[Tensor, "n 2"]:
    """Two half circles of radius 1 that reach into each other, centred on 0, with normal noise.

    The upper one has its centre at (−½, −¼), the lower one at (½, ¼).
    """
    angle, lower = math.pi * _uniform(n, generator), _choice(2, n, generator)
    sign = 1 - 2 * lower
    points = torch.stack([sign * (angle.cos() - 0.5), sign * (angle.sin() - 0.25)], dim=1)
    return points + std * _normal(n, generator)


def spirals(n: int, generator: Generator, std: float = 0.03) -> Float[Tensor, "n 2"]:
    """Two arms of the spiral r = θ/(1.5π), θ from 0 to 3π, each the other's mirror image in 0, with noise.

    The square root spreads the points about evenly along an arm, since its length grows as θ².
    """
    theta = 3 * math.pi * _uniform(n, generator).sqrt()
    radius = (1 - 2 * _choice(2, n, generator)) * theta / (1.5 * math.pi)
    return torch.stack([radius * theta.cos(), radius * theta.sin()], dim=1) + std * _normal(n, generator)


def checkerboard(n: int, generator: Generator) -> Float[Tensor, "n 2"]:
    """Uniform on the eight dark squares of a 4×4 board over [−2, 2]²: those with ⌊x⌋ + ⌊y⌋ even."""
    x = 4 * _uniform(n, generator) - 2
    row = 2 * _choice(2, n, generator) - 2 + x.floor().remainder(2)
    return torch.stack([x, row + _uniform(n, generator)], dim=1)


def pinwheel(n: int, generator: Generator, arms: int = 5) -> Float[Tensor, "n 2"]:
    """`arms` equal arms, each a normal cloud at radius 1 (σ 0.3 outward, 0.1 across), bent by its radius.

    A point that lies at distance r along its arm is turned by ¼·eʳ radians (after Johnson et al. 2016).
    """
    arm = _choice(arms, n, generator)
    outward, across = (_normal(n, generator) * torch.tensor([0.3, 0.1], device=generator.device)).unbind(1)
    outward = outward + 1
    angle = 2 * math.pi * arm / arms + 0.25 * outward.exp()
    cos, sin = angle.cos(), angle.sin()
    return torch.stack([cos * outward - sin * across, sin * outward + cos * across], dim=1)


MIXTURES: dict[str, Callable[[], MixtureParameters]] = {
    "8gaussians": gaussian_ring,
    "25gaussians": gaussian_grid,
}
SHAPES: dict[str, Callable[[int, Generator], Tensor]] = {
    "moons": moons,
    "spirals": spirals,
    "checkerboard": checkerboard,
    "pinwheel": pinwheel,
}
TOYS = (*MIXTURES, *SHAPES)


def toy(name: str, n: int, generator: Generator) -> Float[Tensor, "n 2"]:
    """Draw `n` points of a toy set: one of 8gaussians, 25gaussians, moons, spirals, checkerboard, pinwheel.

    Points lie on the generator's device; the same generator state gives the same points. Raises
    UnknownDatasetError for another name, ValueError for n < 1.
    """
    if name not in TOYS:
        raise UnknownDatasetError(f"There is no toy set {name!r}. The toys are {', '.join(TOYS)}.")
    if n < 1:
        raise ValueError(f"n is {n}; draw at least one point")
    if name in MIXTURES:
        return _sample(MIXTURES[name](), n, generator)
    return SHAPES[name](n, generator)


def toy_mixture(name: str) -> MixtureParameters:
    """The exact law of "8gaussians" (radius 1, σ 0.01) or "25gaussians" (step 2, σ 0.05), as PacGAN has them.

    `GaussianMixture(*toy_mixture(name))` is that law as an oracle. Raises UnknownDatasetError for other toys.
    """
    if name not in MIXTURES:
        raise UnknownDatasetError(
            f"{name!r} is not a Gaussian mixture with known parameters; these are: {', '.join(MIXTURES)}."
        )
    return MIXTURES[name]()
