"""What the tests of several rooms judge by: seeded draws, the normal density, and the law of noisy data."""

import math

import torch
from torch import Tensor

from gdmcourse.diffusion.sde import SDE
from gdmcourse.probability import GaussianMixture


def gen(seed: int = 0) -> torch.Generator:
    """A generator with this seed."""
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int = 0) -> Tensor:
    """Standard normal numbers in float64."""
    return torch.randn(shape, generator=gen(seed), dtype=torch.float64)


def log_bell(x: Tensor, mean: Tensor | float, variance: float) -> Tensor:
    """log N(x; mean, variance), one coordinate at a time."""
    return -((x - mean) ** 2) / (2 * variance) - 0.5 * math.log(2 * math.pi * variance)


def bell(x: Tensor, mean: Tensor | float, variance: float) -> Tensor:
    """N(x; mean, variance), one coordinate at a time."""
    return log_bell(x, mean, variance).exp()


def noisy(law: GaussianMixture, sde: SDE, t: float) -> GaussianMixture:
    """The exact law of x_t for data from `law`."""
    signal, sigma = sde.marginal(t)
    eye = torch.eye(law.means.shape[1], dtype=law.means.dtype)
    return GaussianMixture(law.weights, signal * law.means, signal**2 * law.covariances + sigma**2 * eye)
