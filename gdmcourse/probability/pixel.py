"""What a Gaussian says of a pixel: its density there, or its mass in the bin of a stored grey level."""

import math

import torch
from jaxtyping import Float
from torch import Tensor


def pixel_log_prob(
    x: Float[Tensor, "*shape"],
    mean: Float[Tensor, "*shape"],
    log_variance: Float[Tensor, "*shape"],
    levels: int | None = None,
) -> Float[Tensor, "*shape"]:
    """log p of each pixel in nats: of N(mean, variance)'s density, or of its mass in x's bin.

    With `levels` values evenly spaced on [−1, 1], a bin reaches half a spacing to each side, and the
    outermost reach to infinity. Source: `eq-vae-discretised`, `eq-bound-reconstruction` (Ho et al. 2020).
    """
    if levels is None:
        return -0.5 * (log_variance + (x - mean) ** 2 / log_variance.exp() + math.log(2 * math.pi))
    half = 1 / (levels - 1)
    std = (log_variance / 2).exp()
    above = torch.where(x > 1 - half / 2, math.inf, (x + half - mean) / std)
    below = torch.where(x < -1 + half / 2, -math.inf, (x - half - mean) / std)
    # In the right tail both values are near 1 and cancel; by symmetry the left tail is used instead.
    swap = below + above > 0
    upper, lower = torch.where(swap, -below, above), torch.where(swap, -above, below)
    high, low = torch.special.log_ndtr(upper), torch.special.log_ndtr(lower)
    return high + torch.log1p(-(low - high).exp().clamp(max=1 - 1e-7))


def check_levels(x: Tensor, levels: int) -> None:
    """Raise ValueError for pixels that are none of `levels` evenly spaced values, and for fewer than two.

    `pixel_log_prob` has a bin for every number and doesn't look: what is trained on it would be stale.
    """
    if levels < 2:
        raise ValueError(f"a pixel needs at least 2 levels, not {levels}")
    place = (x.double() + 1) / 2 * (levels - 1)
    nearest = place.round().clamp(0, levels - 1)
    if not bool(((place - nearest).abs() <= 1e-3).all()):  # what rounding to float32 leaves of 256 levels
        raise ValueError(f"these pixels don't have {levels} evenly spaced values from −1 to 1")


def expected_pixel(
    mean: Float[Tensor, "*shape"], log_variance: Float[Tensor, "*shape"], levels: int
) -> Float[Tensor, "*shape"]:
    """The mean grey level in [−1, 1] of the pixel whose bins have the masses of N(mean, variance).

    It is not `mean`, which for a pixel that is always white may lie anywhere below −1. Raises ValueError for
    fewer than two levels.
    """
    check_levels(torch.ones(0), levels)
    total = torch.zeros_like(mean)
    for level in torch.linspace(-1, 1, levels).tolist():
        at = torch.full_like(mean, level)
        total += level * pixel_log_prob(at, mean, log_variance, levels).exp()
    return total
