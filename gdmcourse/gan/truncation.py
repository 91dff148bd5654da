"""The truncation trick: a generator's noise from the middle of its law (Brock et al. 2019)."""

import math

import torch
from torch import Tensor


def check_threshold(threshold: float) -> None:
    """Raise ValueError unless the threshold is above 0."""
    if not threshold > 0:
        raise ValueError(f"the threshold must be above 0, not {threshold}: at 0 no noise would be left")


def mass_within(threshold: float) -> float:
    """The share of a standard normal law that lies in [−τ, τ]."""
    check_threshold(threshold)
    return math.erf(threshold / math.sqrt(2))


def truncated_normal(
    size: tuple[int, ...], threshold: float, generator: torch.Generator, dtype: torch.dtype = torch.float32
) -> Tensor:
    """Standard normal numbers, given that each lies in [−τ, τ], on the device of the generator.

    Drawn by the inverse of the distribution function, so none has to be drawn again. An infinite threshold
    truncates nothing. Raises ValueError unless τ > 0.
    """
    mass = mass_within(threshold)
    uniform = torch.rand(size, generator=generator, device=generator.device, dtype=torch.float64)
    z = torch.special.ndtri((1 - mass) / 2 + mass * uniform)
    return z.clamp(-threshold, threshold).to(dtype)


def truncated_variance(threshold: float) -> float:
    """The variance of one such number, `eq-truncated-variance`. Raises ValueError unless τ > 0."""
    mass = mass_within(threshold)
    if threshold == math.inf:
        return 1.0
    if threshold < 0.01:  # the difference below would lose its digits
        return threshold**2 / 3
    edge = math.exp(-threshold * threshold / 2) / math.sqrt(2 * math.pi)  # ** would overflow where * is ∞
    return 1 - 2 * threshold * edge / mass
