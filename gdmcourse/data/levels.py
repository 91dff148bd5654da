"""Pixels as the whole numbers that were stored, and back; and what a likelihood of them costs in bits."""

import math

import torch
from jaxtyping import Float, Int64
from torch import Tensor

# How many values a pixel of a data set can have; 8 bits give 256.
LEVELS = {"digits": 17, "mnist": 256, "cifar10": 256}


def to_levels(images: Float[Tensor, "*shape"], levels: int) -> Int64[Tensor, "*shape"]:
    """Whole numbers 0 … levels − 1 for pixels in [−1, 1].

    Raises ValueError for pixels that lie between two levels: they come from another number of levels.
    """
    scaled = (images.double() + 1) / 2 * (levels - 1)
    whole = scaled.round()
    if whole.numel() and not (
        torch.allclose(scaled, whole, rtol=0, atol=1e-3) and whole.min() >= 0 and whole.max() < levels
    ):
        raise ValueError(f"these pixels don't have {levels} evenly spaced values from −1 to 1")
    return whole.long()


def from_levels(symbols: Int64[Tensor, "*shape"], levels: int) -> Float[Tensor, "*shape"]:
    """Pixels in [−1, 1], float32, of whole numbers 0 … levels − 1."""
    return symbols.float() / (levels - 1) * 2 - 1


def dequantise(images: Float[Tensor, "*shape"], levels: int, rng: torch.Generator) -> Float[Tensor, "*shape"]:
    """Each pixel moved to a uniformly random place of its bin, whose width is 2 / (levels − 1).

    What a density then has as mean log-likelihood is at most the log-probability that its bins would have
    (Theis et al. 2016). To be done once, on what was stored: noise on noise is no longer uniform.
    """
    shift = torch.rand(images.shape, generator=rng, device=images.device, dtype=images.dtype) - 0.5
    return images + shift * bin_width(levels)


def bin_width(levels: int) -> float:
    """The distance between two neighbouring levels on [−1, 1]."""
    return 2 / (levels - 1)


def bits_per_dim(
    log_prob: Float[Tensor, " n"], dimensions: int, *, levels: int | None = None
) -> Float[Tensor, " n"]:
    """Bits a dimension of images whose log-probability is `log_prob` nats.

    Where that is a density of dequantised pixels, `levels` says in how many bins they lay, and a bin's
    probability is the density times its width. Uniform pixels cost log₂(levels) bits, in either form.
    """
    width = 0.0 if levels is None else math.log(bin_width(levels))
    return -(log_prob / dimensions + width) / math.log(2)
